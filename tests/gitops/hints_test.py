"""Hints people can follow: their own text, another tool's templates, another command's name."""

from pathlib import Path

import pytest

from tests.gitops.repository import job, trainc

HELM = "a Helm template: render it first"


@pytest.mark.parametrize("path", ["jobs", "jobs/a.yaml", "."])
def test_a_hint_quotes_the_file_whatever_was_given(path: str, tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    text = job("a", "torch-distributed").replace('value: "1"', "value: 1.10")
    (tmp_path / "jobs/a.yaml").write_text(text)
    for command in ("validate", "build"):
        done = trainc(tmp_path, command, path)
        assert done.returncode == 1
        assert "got 1.10, which YAML reads as a number" in done.stderr
        assert 'put it in quotes: "1.10"' in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "metadata:\n  name: {{ .Release.Name }}\n",
        "{{- if .Values.on }}\na: 1\n{{- end }}\n",
        'a: 1\n{{ include "x.labels" . }}\n',
        "a: {{ $x }}\n",
        "{{/* a note */}}\na: 1\n",
    ],
)
def test_a_template_of_helm_is_recognised(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    done = trainc(tmp_path, "validate", "a.yaml")
    assert done.returncode == 1
    assert HELM in done.stderr


def test_a_variable_in_place_of_a_number_leads_to_templates(tmp_path: Path) -> None:
    text = job("a", "torch-distributed").replace("numNodes: 2", 'numNodes: "${N}"')
    (tmp_path / "a.yaml").write_text(text)
    assert "use templates/*.yaml.j2 and --set" in trainc(tmp_path, "validate", "a.yaml").stderr


def test_quiet_says_what_made_it_fail(tmp_path: Path) -> None:
    text = job("a", "torch-distributed").replace("train:1.0", "train")
    (tmp_path / "a.yaml").write_text(text)
    done = trainc(tmp_path, "validate", "--fail-on", "warning", "-q", "a.yaml")
    assert done.returncode == 1
    assert "TRC302" in done.stderr
    assert "TRC404" not in done.stderr
    done = trainc(tmp_path, "validate", "-q", "a.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def test_help_knows_commands_and_lint_leads_to_validate(tmp_path: Path) -> None:
    assert trainc(tmp_path, "help", "build").stdout.startswith("Usage: trainc build ")
    assert trainc(tmp_path, "help", "set", "image").stdout.startswith("Usage: trainc set image ")
    assert trainc(tmp_path, "help", "trc101").stdout.startswith("TRC101")
    assert trainc(tmp_path, "help", "nope").returncode == 2
    done = trainc(tmp_path, "lint")
    assert done.returncode == 2
    assert "Did you mean 'validate'?" in done.stderr
