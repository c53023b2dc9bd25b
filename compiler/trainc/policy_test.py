"""Which policies a runtime selects, in which order they run, and what a refusal stops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.policy import DEFAULT_KEY, discover
from trainc.sample import REFERENCE, compiled, runtime, trainjob
from trainc.spec.compat import POLICIES, SOUND


def test_every_policy_of_the_reference_is_found_by_its_key() -> None:
    found = discover(REFERENCE)
    assert set(found) == set(POLICIES)
    assert all(key == policy.key for key, policy in found.items())
    assert list(found) == sorted(found)


def test_a_file_is_a_policy_and_a_test_is_not() -> None:
    folder = Path(__file__).parent / "policies"
    files = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "policy.py").exists()}
    wanted = {name for name in files if not name.startswith("__") and not name.endswith("_test")}
    assert {key.partition(".")[2] for key in discover(SOUND)} == wanted


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    policy: str
    want: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase("no mlPolicy is plain", "null", ""),
        TestCase("an empty one too", "{}", ""),
        TestCase("numNodes selects none", "{numNodes: 2}", ""),
        TestCase("null selects none", "{torch: null}", ""),
        TestCase("an empty mapping selects", "{torch: {}}", "PET_NNODES"),
        TestCase("beside numNodes", "{numNodes: 2, jax: {}}", "JAX_NUM_PROCESSES"),
    ],
    ids=lambda case: case.name,
)
def test_selection(case: TestCase) -> None:
    env = compiled(trainjob(), runtime(case.policy)).env()
    assert next(iter(env), "") == case.want


def test_the_default_policy_cannot_be_lost() -> None:
    assert DEFAULT_KEY in discover(SOUND)


def test_a_refusal_of_one_policy_does_not_hide_that_of_another() -> None:
    text = runtime("{torch: {}}").replace(
        "  template:\n",
        "  podGroupPolicy: {volcano: {}}\n  template:\n"
        "    metadata: {annotations: {scheduling.volcano.sh/queue-name: ''}}\n",
        1,
    )
    made = compiled(trainjob(trainer="{env: [{name: PET_NNODES, value: x}]}"), text)
    assert {error.partition(": ")[0] for error in made.errors} == {
        "spec.trainer.env",
        "spec.annotations[scheduling.volcano.sh/queue-name]",
    }
