import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trainc.source.files import File
from trainc.source.source import from_bytes, load

JOB = "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata: {name: a}\n"
RUNTIME = "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainingRuntime\nmetadata: {name: r}\n"
CLUSTER = RUNTIME.replace("TrainingRuntime", "ClusterTrainingRuntime")
PRIORITY = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: p}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"

LIST = "apiVersion: v1\nkind: List\nitems:\n"
MIXED = LIST + "".join(
    f"- {text.strip()}".replace("\n", "\n  ") + "\n" for text in (JOB, CONFIG, "3")
)
IN_LIST = LIST + "- apiVersion: v1\n  kind: List\n  items: []\n"
JOBS = LIST.replace("v1", "trainer.kubeflow.org/v1alpha1").replace("List", "TrainJobList")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    labels: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    named: bool = True


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "all that is read",
            "---\n".join((JOB, RUNTIME, CLUSTER, PRIORITY)),
            ["TrainJob/a", "TrainingRuntime/r", "ClusterTrainingRuntime/r", "PriorityClass/p"],
        ),
        TestCase("other kinds", CONFIG, [], ["1:1: note: passed over"]),
        TestCase(
            "a kind of ours in another group",
            JOB.replace("trainer.kubeflow", "kubeflow"),
            [],
            ["1:1: warning: apiVersion: of another group"],
        ),
        TestCase(
            "a version we do not know",
            JOB.replace("v1alpha1", "v2"),
            [],
            ["1:1: error: apiVersion: unknown version 'trainer.kubeflow.org/v2'"],
        ),
        TestCase(
            "a group without a version",
            JOB.replace("/v1alpha1", ""),
            [],
            ["1:1: error: apiVersion: unknown version"],
        ),
        TestCase(
            "an empty version",
            JOB.replace("/v1alpha1", "/"),
            [],
            ["1:1: error: apiVersion: unknown version"],
        ),
        TestCase(
            "a kind we do not know",
            JOB.replace("TrainJob", "Trainjob"),
            [],
            ["1:1: error: apiVersion: trainer.kubeflow.org/v1alpha1 has no kind 'Trainjob'"],
        ),
        TestCase(
            "no version",
            "kind: TrainJob\n",
            [],
            ["1:1: error: apiVersion: no Kubernetes object: apiVersion missing"],
            named=False,
        ),
        TestCase(
            "no kind",
            JOB.replace("kind", "kinds"),
            [],
            ["1:1: error: kind: no Kubernetes object: kind missing"],
            named=False,
        ),
        TestCase(
            "a kind that is no text",
            "apiVersion: v1\nkind: [x]\n",
            [],
            ["2:1: error: kind: no Kubernetes object: kind missing"],
        ),
        TestCase(
            "values, named",
            "image: x\n",
            [],
            ["1:1: error: apiVersion: no Kubernetes object: apiVersion and kind missing"],
        ),
        TestCase(
            "values, found",
            "image: x\n",
            [],
            ["1:1: note: apiVersion: no Kubernetes object"],
            named=False,
        ),
        TestCase("a list, named", "- a\n", [], ["1:1: error: no Kubernetes object but a list"]),
        TestCase(
            "a text, found",
            "hello\n",
            [],
            ["1:1: note: no Kubernetes object but a scalar"],
            named=False,
        ),
        TestCase("nothing", "# empty\n"),
        TestCase("an empty mapping", "{}\n", [], ["1:1: error: apiVersion: no Kubernetes object"]),
        TestCase(
            "a List",
            MIXED,
            ["TrainJob/a"],
            ["7:3: note: passed over", "10:3: error: no Kubernetes object but a scalar"],
        ),
        TestCase("a List in a List", IN_LIST),
        TestCase("an empty List", "apiVersion: v1\nkind: List\nitems:\n"),
        TestCase(
            "a List of no list",
            "apiVersion: v1\nkind: List\nitems: 3\n",
            [],
            ["3:1: error: items: must be a list"],
        ),
        TestCase("a TrainJobList", JOBS + "- metadata: {name: a}\n", ["TrainJob/a"]),
        TestCase(
            "problems in the order of lines",
            f"a: 1\na: 2\n---\n{CONFIG}---\nb: [\n",
            [],
            [
                "1:1: error: apiVersion",
                "2:1: error: a: duplicate key",
                "4:1: note: passed over",
                "9:1: error: did not find",
            ],
        ),
    ],
    ids=lambda case: case.name,
)
def test_from_bytes_sorts_out(case: TestCase) -> None:
    problems: list[object] = []
    documents = from_bytes(case.text.encode(), File("f", "f", case.named), problems)  # type: ignore[arg-type]
    assert [document.label for document in documents] == case.labels
    texts = [str(problem).removeprefix("f:") for problem in problems]
    assert len(texts) == len(case.problems), texts
    for text, want in zip(texts, case.problems, strict=True):
        assert text.startswith(want)


def test_items_of_a_list_keep_their_places() -> None:
    text = f"apiVersion: v1\nkind: List\nitems:\n  - {JOB.replace(chr(10), chr(10) + '    ')}\n"
    (document,) = from_bytes(text.encode(), File("f", "f", True), [])
    assert document.mark(())[1:] == (4, 5)
    assert document.mark(("metadata", "name"))[1:] == (6, 16)
    assert document.mark(("spec",))[1:] == (4, 5)


@dataclass(frozen=True)
class TwiceCase:
    __test__ = False
    name: str
    first: str
    second: str
    message: str = ""


HOME = "metadata: {name: a, namespace: %s}"


@pytest.mark.parametrize(
    "case",
    [
        TwiceCase(
            "the same",
            JOB,
            JOB,
            "TrainJob 'a' of namespace default is defined twice, first at a.yaml:3:12",
        ),
        TwiceCase(
            "the default, written out",
            JOB,
            JOB.replace("metadata: {name: a}", HOME % "default"),
            "defined twice",
        ),
        TwiceCase("another namespace", JOB, JOB.replace("metadata: {name: a}", HOME % "b")),
        TwiceCase("another name", JOB, JOB.replace("name: a", "name: b")),
        TwiceCase("another kind", RUNTIME, CLUSTER),
        TwiceCase(
            "without a namespace",
            CLUSTER,
            CLUSTER.replace("name: r", "name: r, namespace: x"),
            "ClusterTrainingRuntime 'r' is defined twice",
        ),
        TwiceCase("without a name", JOB.replace("name: a", ""), JOB.replace("name: a", "")),
        TwiceCase("what is passed over", CONFIG, CONFIG),
    ],
    ids=lambda case: case.name,
)
def test_load_refuses_two_of_a_name(case: TwiceCase, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(case.first)
    (tmp_path / "b.yaml").write_text(case.second)
    problems = [one for one in load([str(tmp_path)]).problems if one.severity == "error"]
    assert len(problems) == bool(case.message)
    if case.message:
        assert case.message in problems[0].message
        assert str(problems[0].mark) in ("b.yaml:3:12", "b.yaml:3:20")
        assert problems[0].field == "metadata.name"


def test_load_reads_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/x.yaml", "a.yaml", "B.yaml", "b.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(JOB.replace("name: a", f"name: {name.lower().replace('/', '-')}{name[0]}"))
    source = load([str(tmp_path), "-"], stdin=io.BytesIO(JOB.encode()))
    assert [one.file for one in source.documents] == [
        "<stdin>",
        "B.yaml",
        "a.yaml",
        "b.yaml",
        "b/x.yaml",
    ]
    assert not source.problems


def test_load_goes_on_after_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    (tmp_path / "b.yaml").write_text(JOB)
    source = load([str(tmp_path), str(tmp_path / "c.yaml")])
    assert [one.label for one in source.documents] == ["TrainJob/a"]
    texts = [str(problem) for problem in source.problems]
    assert "c.yaml: error: no such file or directory" in texts[0]
    assert texts[1].startswith("a.yaml:1:1: error: invalid leading UTF-8 octet")
