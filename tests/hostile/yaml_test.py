"""100 files of YAML and patches of a stranger: each ends in bounded time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.hostile.forks import MOST_MEMORY, MOST_SECONDS, Outcome, builds

pytestmark = pytest.mark.hostile

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: train
  annotations: {a: b}
spec:
  runtimeRef: {name: RUNTIME}
  trainer:
    image: example.com/train:1
    args: [a, b]
EXTRA
"""


def _job(trainer: str = "", spec: str = "", runtime: str = "torch-distributed") -> str:
    """A job with more lines below ``trainer:`` and ``spec:``."""
    extra = "".join(f"    {line}\n" for line in trainer.splitlines())
    extra += "".join(f"  {line}\n" for line in spec.splitlines())
    return JOB.replace("RUNTIME", runtime).replace("EXTRA\n", extra)


@dataclass(frozen=True)
class TestCase:
    """A file of sources, or a patch for a sound job.

    Attributes:
        text: The file.
        patch: Whether it is a patch.
    """

    __test__ = False
    name: str
    text: Callable[[], str | bytes]
    patch: bool = False


def _aliases(levels: int, form: str) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} " + form.format(f"*a{n}") for n in range(levels)]
    return "\n".join([*lines, "kind: TrainJob", "apiVersion: trainer.kubeflow.org/v1alpha1"])


def _merges(levels: int) -> str:
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{n + 1}: &m{n + 1} {{<<: [*m{n}, *m{n}], k{n}: 1}}" for n in range(levels)]
    return "\n".join(lines)


def _patch(change: object) -> str:
    return json.dumps({"target": {"kind": "TrainJob"}, "patch": change})


def _ops(*operations: dict[str, object]) -> str:
    return _patch(list(operations))


PATCHED = "{template: {metadata: {labels: {a: b}}}}"
ADD = {"op": "add", "path": "/spec/trainer/args/-", "value": "x"}
FILES: dict[str, Callable[[], str | bytes]] = {
    "aliases of lists": lambda: _aliases(30, "[{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}]"),
    "aliases of maps": lambda: _aliases(40, "{{a: {0}, b: {0}}}"),
    "aliases as keys": lambda: _aliases(40, "{{? {0} : {0}}}"),
    "merge keys of merge keys": lambda: _merges(60),
    "an alias to itself": lambda: "a: &a [*a]\nb: *a\n",
    "an alias that is none": lambda: "a: *nobody\n",
    "300,000 anchors": lambda: "\n".join(f"a{n}: &a{n} x" for n in range(300_000)),
    "200,000 items": lambda: "a:\n" + "- x\n" * 200_000,
    "200,000 arguments": lambda: _job("command:\n" + "- x\n" * 200_000),
    "200,000 keys": lambda: "\n".join(f"k{n}: 1" for n in range(200_000)),
    "100,000 equal keys": lambda: "k: 1\n" * 100_000,
    "two million documents": lambda: "---\n" * 2_000_000,
    "two million scalars": lambda: "--- a\n" * 2_000_000,
    "a document after three million dots": lambda: "...\n" * 3_000_000,
    "16 MB of comment": lambda: "#" + "x" * (16 << 20),
    "15 MB of comments": lambda: "# x\n" * (15 << 18),
    "15 MB of blank lines": lambda: "\n" * (15 << 20),
    "15 MB of blanks": lambda: " " * (15 << 20),
    "15 MB on a line": lambda: "a: " + "x" * (15 << 20),
    "15 MB of a key": lambda: "x" * (15 << 20) + ": a",
    "15 MB in quotes": lambda: 'a: "' + "\\u0041" * (5 << 19) + '"',
    "15 MB of a block": lambda: "a: |\n" + "  x\n" * (15 << 18),
    "15 MB of a folded block": lambda: "a: >\n" + "  x\n" * (15 << 18),
    "quotes that do not end": lambda: 'a: "' + "x\n " * 1_000_000,
    "brackets that do not end": lambda: "a: " + "[" * 100_000,
    "100,000 deep lists": lambda: "[" * 100_000 + "]" * 100_000,
    "100,000 deep maps": lambda: "{a: " * 100_000 + "}" * 100_000,
    "5,000 deep blocks": lambda: "\n".join(" " * n + "a:" for n in range(5000)),
    "10,000 dashes": lambda: "- " * 10_000 + "a",
    "10,000 question marks": lambda: "? " * 10_000 + "a",
    "a million tags": lambda: "a: [" + "!!str x, " * 1_000_000 + "]",
    "a tag of Python": lambda: "a: !!python/object/apply:os.system ['id']\n",
    "a tag of another": lambda: "a: !<tag:example.com,2000:x> 1\n",
    "a tag without an end": lambda: "a: !<" + "x" * 1_000_000,
    "binary that is none": lambda: "a: !!binary " + "=" * 1_000_000,
    "a set of aliases": lambda: "a: &a [x]\nb: !!set {? *a, ? *a}\n",
    "an ordered map": lambda: "a: !!omap [" + "{x: 1}, " * 100_000 + "]",
    "a version of tomorrow": lambda: "%YAML 9.9\n---\na: 1\n",
    "many directives": lambda: "%TAG !a! tag:x,2000:\n" * 100_000 + "---\na: 1\n",
    "5,000 digits": lambda: _job("numNodes: " + "9" * 5000),
    "a million digits": lambda: _job("numNodes: " + "9" * 1_000_000),
    "a million hexadecimal digits": lambda: _job("numNodes: 0x" + "f" * 1_000_000),
    "a million octal digits": lambda: _job("numNodes: 0o" + "7" * 1_000_000),
    "a million binary digits": lambda: _job("numNodes: 0b" + "1" * 1_000_000),
    "a million sixties": lambda: _job("numNodes: 1" + ":59" * 300_000),
    "a float of many digits": lambda: _job("numNodes: 1." + "9" * 1_000_000),
    "a float past all": lambda: _job("numNodes: 1e999999999"),
    "no number": lambda: _job("numNodes: .nan"),
    "without an end": lambda: _job("numNodes: .inf"),
    "a date past all": lambda: _job("numNodes: 99999-99-99"),
    "2^31 - 1 nodes": lambda: _job("numNodes: 2147483647"),
    "2^31 - 1 nodes of MPI": lambda: _job("numNodes: 2147483647", runtime="deepspeed-distributed"),
    "2^31 - 1 nodes of Flux": lambda: _job("numNodes: 2147483647", runtime="flux-distributed"),
    "2^31 - 1 processes": lambda: _job("numProcPerNode: 2147483647"),
    "2^31 - 1 processes of MPI": lambda: _job(
        "numNodes: 1000\nnumProcPerNode: 2147483647", runtime="deepspeed-distributed"
    ),
    "100,000 nodes of MPI, 100 times": lambda: "---\n".join(
        _job("numNodes: 100000", runtime="deepspeed-distributed").replace("train\n", f"t{n}\n")
        for n in range(100)
    ),
    "fewer than no nodes": lambda: _job("numNodes: -2147483649"),
    "processes of 5,000 digits": lambda: _job("numProcPerNode: '" + "9" * 5000 + "'"),
    "memory of 5,000 digits": lambda: _job(
        "resourcesPerNode: {limits: {memory: '" + "9" * 5000 + "Gi'}}"
    ),
    "memory of an exponent": lambda: _job("resourcesPerNode: {limits: {memory: 1e999999999}}"),
    "GPUs of 5,000 digits": lambda: _job(
        "resourcesPerNode: {limits: {nvidia.com/gpu: '" + "9" * 5000 + "'}}"
    ),
    "100,000 variables": lambda: _job(
        "env:\n" + "".join(f"- {{name: A{n}, value: '1'}}\n" for n in range(100_000))
    ),
    "100,000 equal variables": lambda: _job("env:\n" + "- {name: A, value: '1'}\n" * 100_000),
    "variables that refer to variables": lambda: _job(
        "env:\n"
        + "".join(f"- {{name: A{n + 1}, value: '$(A{n})$(A{n})'}}\n" for n in range(20_000))
    ),
    "20,000 patches of the runtime": lambda: _job(
        spec="runtimePatches:\n"
        + "".join(f"- {{manager: m{n}, trainingRuntimeSpec: {PATCHED}}}\n" for n in range(20_000))
    ),
    "100,000 labels": lambda: _job(
        spec="labels: {" + ", ".join(f"l{n}: a" for n in range(100_000)) + "}"
    ),
    "a deadline of 5,000 digits": lambda: _job(spec="activeDeadlineSeconds: " + "9" * 5000),
    "a name of a million letters": lambda: _job().replace(
        "name: train\n", f"name: {'a' * 10**6}\n"
    ),
    "10,000 jobs of one name": lambda: "---\n".join([_job()] * 10_000),
    "an image of a million letters": lambda: _job("workingDir: " + "x" * 1_000_000),
    "a list of lists of objects": lambda: (
        "kind: List\nitems: " + "[{kind: List, items: " * 5000 + "[]" + "}]" * 5000
    ),
    "a list with an alias to itself": lambda: "kind: List\nitems: &a [{kind: List, items: *a}]\n",
    "a list of 300,000": lambda: "kind: List\nitems:\n" + "- {kind: A, apiVersion: b}\n" * 300_000,
    "no text": lambda: bytes(range(256)) * 1000,
    "zero bytes": lambda: b"\0" * (4 << 20),
    "UTF-16": lambda: ("a: 1\n" * 100_000).encode("utf-16"),
    "UTF-32": lambda: ("a: 1\n" * 100_000).encode("utf-32"),
    "half a letter": lambda: b"a: \xed\xa0\x80\n",
    "marks of order everywhere": lambda: "\ufeff" * 1_000_000,
    "lines that end in other ways": lambda: "a: 1\u2028b: 2\x85c: 3\r" * 100_000,
    "letters that control": lambda: "a: \x1b[2J\x07\n",
    "tabs": lambda: "a:\n" + "\t" * 1_000_000 + "b: 1\n",
    "keys that are no text": lambda: _job("? {a: b}\n: c\n1: 2\n~: 3\n"),
}
PATCHES: dict[str, Callable[[], str | bytes]] = {
    "100,000 items put first": lambda: _ops(
        *[{"op": "add", "path": "/spec/trainer/args/0", "value": "x"}] * 100_000
    ),
    "100,000 items put last": lambda: _ops(*[ADD] * 100_000),
    "20 copies of the whole": lambda: _ops(
        *[{"op": "copy", "from": "", "path": "/metadata/annotations/a"}] * 20
    ),
    "20 copies into itself": lambda: _ops(
        *[{"op": "copy", "from": "/spec", "path": "/spec/spec"}] * 20
    ),
    "a move into itself": lambda: _ops({"op": "move", "from": "/spec", "path": "/spec/trainer/x"}),
    "the whole replaced": lambda: _ops({"op": "replace", "path": "", "value": {}}),
    "the whole removed": lambda: _ops({"op": "remove", "path": ""}),
    "a path of a million steps": lambda: _ops({"op": "add", "path": "/a" * 10**6, "value": 1}),
    "a path of tildes": lambda: _ops({"op": "add", "path": "/" + "~1" * 10**6, "value": 1}),
    "an operation that is none": lambda: _ops({"op": "exec", "path": "/spec", "value": "id"}),
    "operations that are no maps": lambda: _patch([1, None, "x", [ADD]]),
    "a merge of 100,000 keys": lambda: _patch(
        {"metadata": {"annotations": {f"k{n}": "v" for n in range(100_000)}}}
    ),
    "a deep merge": lambda: '{"target": {"kind": "TrainJob"}, "patch": '
    + '{"spec": ' * 5000 + "{}" + "}" * 5001,
    "directives in directives": lambda: _patch(
        {"spec": {"$patch": "replace", "$setElementOrder/args": ["a"] * 1000, "$retainKeys": ["x"]}}
    ),
    "a directive that is none": lambda: _patch({"spec": {"$patch": "x" * 10**6}}),
    "a selector of a million letters": lambda: json.dumps(
        {"target": {"labelSelector": "a=" + "b" * 10**6}, "patch": {}}
    ),
    "a selector of 100,000 rules": lambda: json.dumps(
        {"target": {"labelSelector": ",".join(f"a{n}=b" for n in range(100_000))}, "patch": {}}
    ),
    "a pattern as a name": lambda: json.dumps(
        {"target": {"kind": "TrainJob", "name": "(a+)+$"}, "patch": {}}
    ),
    "10,000 patches": lambda: "---\n".join([_patch({"spec": {"suspend": True}})] * 10_000),
    "an identity that is another's": lambda: _patch({"kind": "Pod", "apiVersion": "v1"}),
}  # fmt: skip
CASES = [
    *(TestCase(f"a file of {name}", text) for name, text in FILES.items()),
    *(TestCase(f"a patch: {name}", text, patch=True) for name, text in PATCHES.items()),
]


def test_there_are_a_hundred() -> None:
    assert len(CASES) >= 100


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What came of each, by name."""
    top = tmp_path_factory.mktemp("yaml")
    folders = []
    for number, case in enumerate(CASES):
        root = top / str(number)
        (root / "jobs").mkdir(parents=True)
        (root / "overlays/prod").mkdir(parents=True)
        (root / "trainc.yaml").write_text("sources: [jobs]\n")
        text = case.text()
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        place = "overlays/prod/patch.yaml" if case.patch else "jobs/job.yaml"
        if case.patch:
            (root / "jobs/sound.yaml").write_text(_job())
        (root / place).write_bytes(data)
        folders.append(root)
    found = builds(folders, "--no-cache", "--env", "prod")
    return {case.name: outcome for case, outcome in zip(CASES, found, strict=True)}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_held(case: TestCase, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.name]
    assert outcome.status in (0, 1), outcome.err
    assert "Traceback" not in outcome.err
    assert "has a bug" not in outcome.err
    assert "\x1b" not in outcome.err
    assert "uid=" not in outcome.out + outcome.err
    assert len(outcome.err) < 100_000
    assert outcome.seconds < MOST_SECONDS
    assert outcome.memory < MOST_MEMORY
