from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from trainc.manifest.emit import Emitter, emit

# Words and shapes that one reader or another retypes, and text that breaks naive emitters.
RETYPED = """
y n yes No ON off true False ~ null NULL 010 0o7 0x1F 0b1 1_000 1e3 1E3 +1 -1 .5 5. 1.5 -.5
12:30:45 1:2 2024-01-15 2024-01-15T10:00:00Z .inf -.INF .nan NaN inf nan = << - -- --- ... ? :
, [ ] { } # & * ! | > ' " % @ ` -a --a a: :a a:b a# #a 1Gi 250m 1.5Ki 1E 1Ei 12M _1 1_ 0 00
$(A) ../x ./x .x
"""
NASTY = RETYPED.split() + [
    "",
    " ",
    " a",
    "a ",
    "a b",
    "a  b",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "a\tb",
    "\ta",
    "a\n",
    "a\nb",
    "a\nb\n",
    "a\n\nb\n",
    "a\n\n",
    "\na",
    " a\nb",
    "a\n b\n",
    "a\n  \nb\n",
    "a\n\t\nb",
    "a\n# b\n",
    "a\n---\nb\n",
    "a\n...\n",
    "a\r\nb",
    "\u0085",
    "a\u2028b",
    "\ufeffa",
    "\U0001f600",
    "\x00\x07\x1b\x7f\x9f",
    "it's",
    'say "hi"',
    "C:\\dir",
    "\xa0",
    "k" * 1500,
]

TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text(st.sampled_from(" \n\t#:-ab'\"\\"), max_size=12),
)
SCALAR = st.one_of(
    TEXT,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
TREE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
MANIFEST = st.dictionaries(st.one_of(st.sampled_from(["metadata", "spec", "data"]), TEXT), TREE)


def ruamel(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))


@given(MANIFEST)
@settings(deadline=None, max_examples=300)
def test_yaml_1_1_reads_back_what_was_emitted(manifest: dict[str, Any]) -> None:
    assert yaml.load(emit(manifest), yaml.CSafeLoader) == manifest
    assert yaml.safe_load(emit(manifest)) == manifest


@given(MANIFEST)
@settings(deadline=None, max_examples=100)
def test_yaml_1_2_reads_back_what_was_emitted(manifest: dict[str, Any]) -> None:
    assert ruamel(emit(manifest)) == manifest


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_nasty_text_survives_as_value_key_and_item(text: str) -> None:
    manifest = {"spec": {"value": text, text: 1, "items": [text, [text], {text: text}]}}
    assert yaml.safe_load(emit(manifest)) == manifest
    assert ruamel(emit(manifest)) == manifest


@given(MANIFEST, TREE)
@settings(deadline=None, max_examples=100)
def test_shared_subtrees_read_as_their_copies(manifest: dict[str, Any], tree: Any) -> None:
    objects = [{**manifest, "spec": {"a": tree, "b": [tree, {"c": tree}]}} for _ in range(3)]
    emitter = Emitter()
    assert [emitter.emit(each) for each in objects] == [emit(each) for each in objects]


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    value: Any
    want: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase(name="a word that is a bool elsewhere", value="y", want='v: "y"\n'),
        TestCase(name="an octal number", value="010", want='v: "010"\n'),
        TestCase(name="a date", value="2024-01-15", want='v: "2024-01-15"\n'),
        TestCase(name="a flag", value="--lr=1e-3", want="v: --lr=1e-3\n"),
        TestCase(name="an image", value="example.com/a:1.2", want="v: example.com/a:1.2\n"),
        TestCase(name="a quantity", value="1.5Gi", want="v: 1.5Gi\n"),
        TestCase(name="a script", value="a\n  b\n\nc\n", want="v: |\n  a\n    b\n\n  c\n"),
        TestCase(name="a script without its last break", value="a\nb", want="v: |-\n  a\n  b\n"),
        TestCase(name="blanks first", value=" a\nb\n", want='v: " a\\nb\\n"\n'),
        TestCase(name="JSON text", value='{"a": "b\'s"}', want="v: '{\"a\": \"b''s\"}'\n"),
        TestCase(name="an emoji", value="\U0001f600", want='v: "\U0001f600"\n'),
        TestCase(name="the byte order mark", value="\ufeff", want='v: "\\ufeff"\n'),
        TestCase(name="a float without a point", value=1e22, want="v: 1.0e+22\n"),
        TestCase(name="nothing", value=None, want="v: null\n"),
        TestCase(name="empty", value={"a": {}, "b": []}, want="v:\n  a: {}\n  b: []\n"),
        TestCase(name="list of lists", value=[[1, 2], [[3]]], want="v:\n- - 1\n  - 2\n- - - 3\n"),
    ],
    ids=lambda case: case.name,
)
def test_emit_writes_a_value(case: TestCase) -> None:
    assert emit({"v": case.value}) == case.want


def test_keys_stand_in_kubernetes_order() -> None:
    manifest = {
        "spec": {
            "suspend": False,
            "replicatedJobs": [
                {
                    "template": {"spec": {"template": {"spec": {"containers": [_CONTAINER]}}}},
                    "name": "node",
                }
            ],
        },
        "metadata": {"labels": {"b": "2", "a": "1"}, "name": "m"},
        "kind": "JobSet",
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
    }
    keys = [line.strip(" -").split(":")[0] for line in emit(manifest).splitlines()]
    assert " ".join(keys) == (
        "apiVersion kind metadata name labels a b spec replicatedJobs name template spec template "
        "spec containers name image command python args a env name value resources limits cpu "
        "memory requests cpu future suspend"
    )


_CONTAINER = {
    "future": 1,
    "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi", "cpu": 2}},
    "env": [{"value": "v", "name": "E"}],
    "args": ["--a"],
    "command": ["python"],
    "image": "i",
    "name": "node",
}


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("nan"), "\ud800", {1: 2}, object()],
    ids=["inf", "nan", "surrogate", "integer key", "object"],
)
def test_what_yaml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        emit({"v": value})


def test_memory_of_an_emitter_is_bounded() -> None:
    emitter = Emitter()
    for number in range(40_000):
        emitter.emit({"a": {"b": number}})
    assert len(emitter._once) + len(emitter._again) < 40_000
