from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests import corpora

from trainc.cli import COMMANDS
from trainc.cli.controller import controller
from trainc.cli.install import install
from trainc.install.crd import crds
from trainc.install.files import OVERLAYS, files
from trainc.install.install import Installation, objects
from trainc.install.rulebook import RULES, page
from trainc.kube.generate import generate
from trainc.kube.schema import FOLDER

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
Json = dict[str, Any]


def test_deploy_is_fresh() -> None:
    for path, text in files().items():
        file = DEPLOY / path
        assert file.exists() and file.read_text() == text, (
            f"deploy/{path} is stale; run: python -m trainc.install.files deploy"
        )


def test_crds_hold_what_the_compiler_checks(tmp_path: Path) -> None:
    """Generated from our CRDs, the tables are those generated from the reference's."""
    for crd in crds():
        (tmp_path / f"{crd['metadata']['name']}.yaml").write_text(json.dumps(crd))
    for file, text in generate(tmp_path).items():
        committed = (Path(FOLDER) / file).read_text()
        if file != "rules.json":
            assert text == committed, file
            continue
        ours = [r for r in json.loads(committed) if r["schema"] in ("trainjob", "runtime")]
        assert json.loads(text) == ours


def test_crds_are_the_references_but_for_words_and_columns() -> None:
    for crd in crds():
        group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        theirs = yaml.safe_load((corpora.crds() / f"{group}_{plural}.yaml").read_text())
        assert crd["spec"]["names"] == theirs["spec"]["names"]
        assert crd["spec"]["scope"] == theirs["spec"]["scope"]
        (ours,), (reference,) = crd["spec"]["versions"], theirs["spec"]["versions"]
        assert ours["name"] == reference["name"]
        assert ours.get("subresources") == reference.get("subresources")
        want = _meaning(reference["schema"]["openAPIV3Schema"])
        assert _meaning(ours["schema"]["openAPIV3Schema"]) == want


def _meaning(node: Json) -> Json:
    """A schema without words, and without what says nothing."""
    out = {key: value for key, value in node.items() if key not in ("description", "properties")}
    if "properties" in node:
        out["properties"] = {key: _meaning(child) for key, child in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = _meaning(node[key])
    if node.get("type") == "array":
        out.setdefault("x-kubernetes-list-type", "atomic")  # the default
        # The order of a map's keys says nothing.
        keys = node.get("x-kubernetes-list-map-keys")
        if keys:
            out["x-kubernetes-list-map-keys"] = sorted(keys)
    if node.get("type") == "integer":
        out.setdefault("format", "int64")  # Go's int
    if out.get("x-kubernetes-map-type") == "granular":
        del out["x-kubernetes-map-type"]  # the default
    if "x-kubernetes-validations" in out:
        out["x-kubernetes-validations"] = sorted(
            (rule["rule"], rule["message"]) for rule in out["x-kubernetes-validations"]
        )
    # A field with a default is never missing.
    fields = node.get("properties", {})
    required = sorted(k for k in node.get("required", []) if "default" not in fields.get(k, {}))
    out.pop("required", None)
    return out | ({"required": required} if required else {})


def test_the_command_prints_what_is_asked_for() -> None:
    def kinds(*arguments: str) -> list[str]:
        out = CliRunner().invoke(install, arguments)
        assert out.exit_code == 0, out.output
        return [each["kind"] for each in yaml.safe_load_all(out.stdout)]

    assert kinds().count("CustomResourceDefinition") == 3
    assert kinds("--no-crds").count("CustomResourceDefinition") == 0
    assert kinds("--no-crds", "--service-monitor")[-1] == "ServiceMonitor"
    assert kinds("--runtimes").count("ClusterTrainingRuntime") > 5
    text = CliRunner().invoke(install, ["--compile", "--feature", "TrainJobStatus"]).stdout
    assert "- --compile\n        - --feature=TrainJobStatus\n" in text
    text = CliRunner().invoke(install, ["--image-prefix", "registry.example/x/"]).stdout
    assert "image: registry.example/x/controller:v" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "team-a"],
        ["--namespaced", "-n", "Team A"],
        ["--namespaced", "-n", ""],
        ["--feature", "TrainJobStatus"],
        ["--compile", "--feature", "a b"],
        ["--compile", "--feature", "TrainjobStatus"],
        ["--image-prefix", ""],
        ["--image-prefix", "https://registry.example/x"],
        ["--image-prefix", "registry.example/x: y"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str]) -> None:
    out = CliRunner().invoke(install, arguments)
    assert (out.exit_code, out.stdout) == (2, "")


def test_a_namespace_said_twice_is_one() -> None:
    once = CliRunner().invoke(install, ["--namespaced", "-n", "a"]).stdout
    assert CliRunner().invoke(install, ["--namespaced", "-n", "a", "-n", "a"]).stdout == once


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_controller_takes_the_arguments_of_its_deployment(overlay: str) -> None:
    (deployment,) = (o for o in objects(OVERLAYS[overlay]) if o["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command, *arguments = container["args"]
    assert command in COMMANDS
    given = controller.make_context(command, arguments).params
    wanted = OVERLAYS[overlay]
    assert (given["namespaces"], given["compiles"]) == (wanted.namespaces, wanted.compiles)
    assert str(given["progress_tls"]) == container["volumeMounts"][0]["mountPath"]


def test_secrets_are_only_ever_created() -> None:
    for wanted in (*OVERLAYS.values(), Installation(namespaces=("a", "b"), compiles=True)):
        for manifest in objects(wanted):
            for rule in manifest.get("rules", []):
                if "secrets" in rule["resources"]:
                    assert rule["verbs"] == ["create"]
                assert "*" not in (*rule["resources"], *rule["verbs"], *rule["apiGroups"])


def test_namespaced_rights_are_in_the_namespaces() -> None:
    wide = [
        rule
        for manifest in objects(Installation(namespaces=("team-a",)))
        if manifest["kind"] == "ClusterRole"
        for rule in manifest["rules"]
    ]
    assert [rule["resources"] for rule in wide] == [["tokenreviews"]]


def test_the_page_of_refusals_is_fresh() -> None:
    assert (ROOT / "docs" / "admission.md").read_text() == page(), "run: make golden"


def test_each_rule_is_refused_by_a_policy_or_says_why_not() -> None:
    policies = {
        each["metadata"]["name"]
        for each in objects(Installation())
        if each["kind"] == "ValidatingAdmissionPolicy"
    }
    for rule in RULES:
        assert bool(rule.policy) != bool(rule.needs), rule.field
        assert rule.policy in policies | {""}
