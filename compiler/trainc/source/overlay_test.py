from dataclasses import dataclass

import pytest
import yaml

from trainc.errors import Mark, Problem
from trainc.source.document import Document
from trainc.source.overlay import Patch, overlaid, patch_of
from trainc.source.parse import parse

JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: llm, labels: {team: a}}
spec:
  runtimeRef: {name: own}
  trainer:
    image: old
    args: [--x]
    env:
    - {name: A, value: "1"}
    - {name: B, value: "1"}
"""


def documents(text: str, file: str) -> list[Document]:
    found, problems = parse(text.encode(), file)
    assert not problems
    return found


def applied(*patches: str) -> tuple[list[Document], list[Problem]]:
    """The job after the patches, each in a file of its own."""
    read = [
        patch_of(document)
        for number, text in enumerate(patches)
        for document in documents(text, f"p{number}.yaml")
    ]
    good = [patch for patch in read if isinstance(patch, Patch)]
    found, problems = overlaid(documents(JOB, "job.yaml"), good)
    return found, [*(each for each in read if isinstance(each, Problem)), *problems]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    patch: str
    path: tuple[str | int, ...]
    want: object
    place: str


def for_llm(patch: str) -> str:
    return f"target: {{name: llm}}\npatch:\n  {patch}\n"


TRAINER = ("spec", "trainer")
CASES = [
    TestCase("a field is replaced", for_llm("spec: {trainer: {image: new}}"),
             (*TRAINER, "image"), "new", "p0.yaml:3:20"),
    TestCase("a list is replaced", for_llm("spec: {trainer: {args: [--y]}}"),
             (*TRAINER, "args"), ["--y"], "p0.yaml:3:20"),
    TestCase("env merges by name", for_llm("spec: {trainer: {env: [{name: B, value: '2'}]}}"),
             (*TRAINER, "env", 1), {"name": "B", "value": "2"}, "p0.yaml:3:26"),
    TestCase("what stays has its own place", for_llm("spec: {trainer: {env: [{name: B}]}}"),
             (*TRAINER, "env", 0), {"name": "A", "value": "1"}, "job.yaml:10:7"),
    TestCase("an item goes", for_llm("spec: {trainer: {env: [{name: A, $patch: delete}]}}"),
             (*TRAINER, "env", 0), {"name": "B", "value": "1"}, "job.yaml:11:7"),
    TestCase("null takes a field away", for_llm("spec: {trainer: {args: null}}"),
             TRAINER, {"image": "old", "env": [{"name": "A", "value": "1"},
                                               {"name": "B", "value": "1"}]}, "p0.yaml:3:10"),
    TestCase("a map is replaced whole", for_llm("spec: {trainer: {$patch: replace, image: x}}"),
             TRAINER, {"image": "x"}, "p0.yaml:3:10"),
    TestCase("an operation", for_llm("- {op: replace, path: /spec/trainer/image, value: op}"),
             (*TRAINER, "image"), "op", "p0.yaml:3:46"),
    TestCase("a map in place of text", for_llm("spec: {trainer: {image: {}}}"),
             (*TRAINER, "image"), {}, "p0.yaml:3:20"),
    TestCase("maps in place of a list", for_llm("spec: {trainer: {args: {a: 1}}}") + "---\n" +
             for_llm("spec: {trainer: {args: {b: 2}}}"),
             (*TRAINER, "args"), {"a": 1, "b": 2}, "p0.yaml:7:20"),
    TestCase("part of an object", "kind: TrainJob\nmetadata: {name: llm}\nspec:\n  suspend: true\n",
             ("spec", "suspend"), True, "p0.yaml:4:3"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_patch_changes_the_object_and_leaves_its_place(case: TestCase) -> None:
    (document,), problems = applied(case.patch)
    assert not problems
    value = document.root
    for step in case.path:
        value = value[step]
    assert value == case.want
    assert str(document.mark(case.path)) == case.place


def test_patches_act_in_their_order_and_the_source_stays() -> None:
    two = (for_llm("spec: {trainer: {image: a}}"), for_llm("spec: {trainer: {image: b}}"))
    (document,), _ = applied(*two)
    assert document.root["spec"]["trainer"]["image"] == "b"
    (document,), _ = applied(*reversed(two))
    assert document.root["spec"]["trainer"]["image"] == "a"
    assert documents(JOB, "f")[0].root == yaml.safe_load(JOB)


def test_a_patch_may_be_for_what_could_not_be_read() -> None:
    patch = patch_of(documents("target: {name: other}\npatch: {}\n", "p.yaml")[0])
    assert isinstance(patch, Patch)
    assert len(overlaid(documents(JOB, "job.yaml"), [patch])[1]) == 1
    assert overlaid(documents(JOB, "job.yaml"), [patch], whole=False)[1] == []


def test_an_object_may_be_taken_out() -> None:
    found, problems = applied(for_llm("$patch: delete"))
    assert (found, problems) == ([], [])


@dataclass(frozen=True)
class Refused:
    __test__ = False
    name: str
    patch: str
    place: str
    says: str
    hint: str


REFUSED = [
    Refused("no such name", "target: {name: lmm}\npatch: {}\n", "p0.yaml:1:1", "matches nothing",
            "did you mean llm?"),
    Refused("no such label", "target: {labelSelector: team=b}\npatch: {}\n", "p0.yaml:1:1",
            "team=b", "there are: llm"),
    Refused("another namespace", "target: {name: llm, namespace: ml}\npatch: {}\n", "p0.yaml:1:1",
            "no object 'llm' in namespace ml", "llm names no namespace: leave it out"),
    Refused("a patch as kustomize has it", "target: {name: llm}\npatch: |\n  spec: {}\n",
            "p0.yaml:2:1", "must be a map to merge", "leave out the |"),
    Refused("part of no object", "kind: TrainJob\nmetadata: {name: other}\n", "p0.yaml:2:12",
            "matches nothing", "there are: llm"),
    Refused("an item that is text", for_llm("spec: {trainer: {env: [A]}}"), "p0.yaml:3:26",
            "needs name", ""),
    Refused("an item whose name is a list", for_llm("spec: {trainer: {env: [{name: [A]}]}}"),
            "p0.yaml:3:26", "needs name", ""),
    Refused("no item to take away", for_llm("spec: {trainer: {env: [{name: C, $patch: delete}]}}"),
            "p0.yaml:3:26", "no item has name 'C'; there are: A, B", ""),
    Refused("another kind of object", for_llm("kind: Pod"), "p0.yaml:2:1", "change kind", "delete"),
    Refused("an object without kind", for_llm("- {op: remove, path: /kind}"), "p0.yaml:2:1",
            "change kind: it was TrainJob", "delete"),
    Refused("text in its place", for_llm("- {op: replace, path: '', value: x}"), "p0.yaml:2:1",
            "no object", "delete"),
    Refused("nothing in its place", for_llm("- {op: remove, path: ''}"), "p0.yaml:3:18",
            "itself", ""),
    Refused("an op that is a list", for_llm("- {op: [a], path: /spec}"), "p0.yaml:3:5",
            "op is one of", ""),
    Refused("a test that fails", for_llm("- {op: test, path: /spec/trainer/image, value: x}"),
            "p0.yaml:3:43", '/spec/trainer/image is "old", not "x"', ""),
    Refused("no runtime", "target: {kind: TrainingRuntime}\npatch: {}\n", "p0.yaml:1:1",
            "matches nothing", "no such object"),
    Refused("no patch", "spec: {suspend: true}\n", "p0.yaml:1:1", "this is no patch", "target:"),
    Refused("another kind", "kind: Pod\nmetadata: {name: x}\n", "p0.yaml:1:1", "no patch",
            "TrainJob"),
    Refused("a patch that is text", "target: {name: llm}\npatch: x\n", "p0.yaml:2:1",
            "must be a map", ""),
    Refused("an unknown directive", for_llm("spec: {trainer: {$patch: merge}}"), "p0.yaml:3:20",
            "", "delete"),
    Refused("an operation that fails", for_llm("- {op: remove, path: /spec/x}"), "p0.yaml:3:18",
            "'x'", ""),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_applied_is_told_at_its_place(case: Refused) -> None:
    _, (problem, *more) = applied(case.patch)
    assert not more
    assert case.says in problem.message
    assert case.hint in problem.hint
    assert str(problem.mark).startswith(case.place)


def test_what_says_which_object_a_patch_is_for_stays_at_the_object() -> None:
    found, problems = applied("kind: TrainJob\nmetadata: {name: llm}\nspec: {suspend: true}\n")
    assert problems == []
    (document,) = found
    for path in (("kind",), ("apiVersion",), ("metadata", "name")):
        assert document.mark(path).file == "job.yaml", path
    assert document.mark(("spec", "suspend")) == Mark("p0.yaml", 3, 8)
