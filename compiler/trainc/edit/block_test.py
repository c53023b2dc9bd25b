"""How a block is laid out: columns, order, and where comments go."""

from dataclasses import dataclass
from textwrap import dedent

import pytest

from trainc.edit.formatting import formatted
from trainc.edit.text import of_bytes
from trainc.errors import TraincError
from trainc.source.files import File

_HEAD = "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\n"


def format_text(text: str, name: str = "job.yaml") -> str:
    return formatted(of_bytes(text.encode(), File(name, name, True)))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: str


CASES = [
    TestCase(
        "keys in the order of the API, further ones behind them",
        """
        spec:
          numbers: 1
          trainer: {numNodes: 2, image: x}
          runtimeRef:
            name: a
        """,
        """
        spec:
          runtimeRef:
            name: a
          trainer: {numNodes: 2, image: x}
          numbers: 1
        """,
    ),
    TestCase(
        "lists are indented, and a wide dash is narrowed",
        """
        spec:
            trainer:
                command:
                - python
                -   train.py
                env:
                -   value: a
                    name: A
                -
                    name: B
        """,
        """
        spec:
          trainer:
            command:
              - python
              - train.py
            env:
              - name: A
                value: a
              -
                name: B
        """,
    ),
    TestCase(
        "a comment goes with the entry below it, a deeper one with the one above",
        """
        spec:
          # the trainer
          # of this job
          trainer:
            numNodes: 1
            # numProcPerNode: 2

          # the runtime
          runtimeRef:  # by name
            name: a
          # at the end
        """,
        """
        spec:
          # the runtime
          runtimeRef:  # by name
            name: a

          # the trainer
          # of this job
          trainer:
            numNodes: 1
            # numProcPerNode: 2
          # at the end
        """,
    ),
    TestCase(
        "a comment above what becomes an item's first key stands above the item",
        """
        spec:
          trainer:
            env:
              - value: a
                # its name
                name: A
        """,
        """
        spec:
          trainer:
            env:
              # its name
              - name: A
                value: a
        """,
    ),
    TestCase(
        "an anchor stays above its aliases",
        """
        spec:
          trainer:
            image: &image x
          initializer:
            model:
              env:
                - {name: A, value: *image}
          runtimeRef: {name: a}
        """,
        """
        spec:
          runtimeRef: {name: a}
          trainer:
            image: &image x
          initializer:
            model:
              env:
                - {name: A, value: *image}
        """,
    ),
    TestCase(
        "block scalars, folded scalars and flow collections move as they are",
        """
        spec:
            trainer:
                args: ["-c",
                       "x"]
                command:
                - |
                  set -e

                    if x
                # of the block
                - |2
                    two more
                -  "a
                   b"
                - >-

                  folded
        """,
        """
        spec:
          trainer:
            command:
              - |
                set -e

                  if x
              # of the block
              - |2
                  two more
              - "a
                 b"
              - >-

                folded
            args: ["-c",
                   "x"]
        """,
    ),
    TestCase(
        "a merge keeps the order of its map",
        """
        metadata:
          annotations: &a {x: y}
          labels:
            <<: *a
            b: c
            a: b
        """,
        """
        metadata:
          annotations: &a {x: y}
          labels:
            <<: *a
            b: c
            a: b
        """,
    ),
    TestCase(
        "a key with a question mark keeps the order of its map",
        """
        spec:
            ? trainer
            :
                numNodes: 1
            runtimeRef:
                name: a
        """,
        """
        spec:
          ? trainer
          :
              numNodes: 1
          runtimeRef:
            name: a
        """,
    ),
    TestCase(
        "a blank line does not become part of a scalar that would keep it",
        """
        spec:
          trainer:
            image: |+
              x
          runtimeRef:
            name: a

          # further
          numbers: 1
        """,
        """
        spec:
          runtimeRef:
            name: a
          trainer:
            image: |+
              x
          # further
          numbers: 1
        """,
    ),
    TestCase(
        "the blank lines a scalar keeps move with it",
        """
        spec:
          trainer: >+
            x

          runtimeRef: {}
        """,
        """
        spec:
          runtimeRef: {}
          trainer: >+
            x

        """,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_block_is_laid_out(case: TestCase) -> None:
    want = _HEAD + dedent(case.want).lstrip("\n")
    assert format_text(_HEAD + dedent(case.text).lstrip("\n")) == want
    assert format_text(want) == want


def test_the_head_of_a_document_stays_at_its_top() -> None:
    text = f"# yaml-language-server: $schema=x\n\n# a job\nkind: TrainJob\n{_HEAD[:42]}"
    assert format_text(text) == f"# yaml-language-server: $schema=x\n\n# a job\n{_HEAD}"


def test_documents_that_are_not_for_trainc_stay() -> None:
    other = "kind: ConfigMap\napiVersion: v1\ndata:\n    b: 1\n"
    ours = "---  # ours\nkind: TrainJob\napiVersion: trainer.kubeflow.org/v1alpha1\n"
    text = f"%YAML 1.1\n---\n{other}{ours}...\n# end\n--- {{kind: TrainJob}}\n"
    assert format_text(text) == text.replace(ours, f"---  # ours\n{_HEAD}")
    assert format_text(other) == other


def test_items_of_a_list_are_objects() -> None:
    items = "- kind: TrainJob\n  apiVersion: trainer.kubeflow.org/v1alpha1\n- kind: Pod\n  a: 1\n"
    assert format_text(f"items:\n{items}kind: List\n") == (
        "kind: List\nitems:\n  - apiVersion: trainer.kubeflow.org/v1alpha1\n    kind: TrainJob\n"
        "  - kind: Pod\n    a: 1\n"
    )


@pytest.mark.parametrize(
    ("name", "text", "want"),
    [
        ("p/trainc.yaml", "output: out\nsources: [a]\n", "sources: [a]\noutput: out\n"),
        ("overlay.yaml", "patches: []\nextends: a\n", "extends: a\npatches: []\n"),
        (
            "any.yaml",
            "patch:\n    spec:\n        suspend: true\n        trainer: {}\n"
            "target:\n    kind: TrainJob\n",
            "target:\n  kind: TrainJob\n"
            "patch:\n  spec:\n    trainer: {}\n    suspend: true\n",
        ),
    ],
)  # fmt: skip
def test_settings_and_patches_have_an_order(name: str, text: str, want: str) -> None:
    assert format_text(text, name) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("kind: TrainJob\r\n%s", "%s\r\nkind: TrainJob\r\n"),
        ("kind: TrainJob\r%s", "%s\rkind: TrainJob\r"),
        ("\ufeffkind: TrainJob\n%s", "%s\nkind: TrainJob\n"),
        ("kind: TrainJob\n\n%s\n\n", "%s\n\nkind: TrainJob\n\n"),
    ],
)
def test_line_ends_stay(text: str, want: str) -> None:
    version = "apiVersion: trainer.kubeflow.org/v1alpha1"
    assert format_text(text % version) == want % version


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n---\n", "1\n", "{}\n"])
def test_what_holds_nothing_stays(text: str) -> None:
    assert format_text(text) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"kind: TrainJob\n\tspec: 1\n", "tab character"),
        (b"a: 1\na: 2\n", "duplicate key"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"a: \xff\n", "UTF-8"),
        ("a: '\u2028'\n".encode(), "U+2028"),
    ],
)
def test_what_cannot_be_edited_says_why(data: bytes, message: str) -> None:
    with pytest.raises(TraincError, match=message.replace("+", r"\+")):
        of_bytes(data, File("a.yaml", "a.yaml", True))
