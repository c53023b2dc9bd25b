"""Images are set where they are written, and nothing else changes."""

from dataclasses import dataclass

import pytest

from trainc.edit.image import chosen, slots_of, with_images
from trainc.edit.text import of_bytes
from trainc.errors import TraincError
from trainc.source.files import File

JOB = """\
# a job
kind: TrainJob
metadata: {name: mnist}
spec:
    runtimeRef: {name: torch}  # stock
    trainer:
        numNodes: 2
        image: "a:1"   # pinned
"""
RUNTIME = """\
kind: TrainingRuntime
metadata: {name: mpi}
spec:
  template:
    spec:
      replicatedJobs:
        - name: launcher
          template: {spec: {template: {spec: {containers: [{name: node, image: a:1}]}}}}
        - name: worker
          template:
            spec:
              template:
                spec:
                  initContainers:
                    - name: fetch
                      image: 'f:1'
                  containers:
                    - image: a:1
                      name: node
                    - name: side
"""


def set_images(text: str, **wanted: str) -> str:
    file = of_bytes(text.encode(), File("a.yaml", "a.yaml", True))
    pairs = {name.replace("__", "/"): image for name, image in wanted.items()}
    return with_images(file, chosen(slots_of(file), pairs))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    wanted: dict[str, str]
    changed: dict[str, str]


CASES = [
    TestCase("by the container's name", JOB, {"node": "b:2"}, {'"a:1"': '"b:2"'}),
    TestCase("by the job's name", JOB, {"mnist": "b:2"}, {'"a:1"': '"b:2"'}),
    TestCase("every one", JOB, {"*": "b:2"}, {'"a:1"': '"b:2"'}),
    TestCase("in several containers", RUNTIME, {"node": "b:2"}, {"a:1": "b:2"}),
    TestCase("by a job with one container", RUNTIME, {"launcher": "b:2"}, {"e: a:1}": "e: b:2}"}),
    TestCase("by both names", RUNTIME, {"worker/node": "b:2"}, {"- image: a:1": "- image: b:2"}),
    TestCase("of an init container", RUNTIME, {"fetch": "b:2"}, {"'f:1'": "'b:2'"}),
    TestCase(
        "added", RUNTIME, {"side": "b:2"}, {"name: side": f"name: side\n{22 * ' '}image: b:2"}
    ),
    TestCase("that reads as a number", RUNTIME, {"launcher": "1.10"}, {"e: a:1}": 'e: "1.10"}'}),
    TestCase(
        "two at once", RUNTIME, {"launcher": "b:2", "fetch": "c:3"},
        {"e: a:1}": "e: b:2}", "'f:1'": "'c:3'"},
    ),
    TestCase(
        "added to a trainer", JOB.replace('image: "a:1"', "args: []"), {"node": "b:2"},
        {"numNodes": "image: b:2\n        numNodes"},
    ),
    TestCase(
        "added with a trainer", "kind: TrainJob\nmetadata: {name: a}\nspec:\n"
        "  runtimeRef:\n    name: b  # stock\n  suspend: true\n", {"a": "b:2"},
        {"# stock": "# stock\n  trainer:\n    image: b:2"},
    ),
    TestCase(
        "added with an empty trainer", "kind: TrainJob\r\nspec:\r\n  trainer:  # none\r\n",
        {"node": "b:2"}, {"# none": "# none\r\n    image: b:2"},
    ),
    TestCase(
        "in a patch", "target: {kind: TrainJob}\npatch:\n  spec: {trainer: {image: a}}\n",
        {"node": "b:2"}, {"{image: a}": "{image: b:2}"},
    ),
    TestCase(
        "in the item of a list", f"kind: List\nitems:\n- {JOB.replace(chr(10), chr(10) + '  ')}\n",
        {"node": "b:2"}, {'"a:1"': '"b:2"'},
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_image_is_set(case: TestCase) -> None:
    want = case.text
    for old, new in case.changed.items():
        assert old in want
        want = want.replace(old, new)
    assert set_images(case.text, **case.wanted) == want


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        (RUNTIME, {"nod": "b"}, "did you mean node.*launcher/node, worker/fetch, worker/node"),
        (RUNTIME, {"worker": "b"}, "several containers.*worker/node, worker/side"),
        (RUNTIME, {"node": "b c"}, "no image"),
        (RUNTIME, {"node": "b", "launcher": "c"}, "would get both"),
        ("kind: Pod\n", {"node": "b"}, "no TrainJob or runtime"),
        (
            "kind: TrainJob\nspec:\n  trainer:\n    image: &i a\n    args: [*i]\n",
            {"node": "b"},
            "without changing more",
        ),
        (
            "a: &t {numNodes: 1}\nkind: TrainJob\nspec:\n  trainer: *t\n",
            {"node": "b"},
            "without changing more",
        ),
    ],
)
def test_what_cannot_be_set_says_why(text: str, wanted: dict[str, str], message: str) -> None:
    with pytest.raises(TraincError, match=f"(?s){message}"):
        set_images(text, **wanted)


_DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    "image",
    ["a", "a:1.2", "a/b:V_1", "registry:5000/a/b-c__d.e:1", "R.example/x", f"a@{_DIGEST}",
     f"[::1]:5000/a:1@{_DIGEST}", "localhost/a", "a--b/c_d"],
)  # fmt: skip
def test_every_form_of_an_image_is_taken(image: str) -> None:
    assert image in set_images(JOB, node=image)


@pytest.mark.parametrize(
    "image",
    ["", "A:1", "a:b:c", "a:1=2", "é:1", "a@sha256:abc", "a:", "/a", "a/", "a//b", "a:-1", "a b",
     "https://a/b:1", "$(IMAGE)", "{{ image }}", "a:" + "x" * 129, "host/A:1", "a\n"],
)  # fmt: skip
def test_what_no_container_runtime_would_pull_is_refused(image: str) -> None:
    with pytest.raises(TraincError, match="this is no image") as caught:
        set_images(JOB, node=image)
    assert "lower case" in caught.value.problems[0].hint


def test_an_alias_gives_way_to_the_image() -> None:
    text = "kind: TrainJob\nmetadata: {name: &n a}\nspec:\n  trainer:\n    image: *n\n"
    assert set_images(text, node="b:2") == text.replace("*n", "b:2")
