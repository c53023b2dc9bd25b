from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.kube.resources import cpus, gpus, merged, pod_requests


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    resources: dict[str, Any]
    gpus: int
    cpus: int


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", {}, 0, 0),
        TestCase("limits stand in for requests", {"limits": {"nvidia.com/gpu": 8, "cpu": "2500m"}},
                 8, 3),
        TestCase("requests win", {"requests": {"cpu": "1"}, "limits": {"cpu": "4"}}, 0, 1),
        TestCase("zero requests do not", {"requests": {"cpu": "0", "amd.com/gpu": "0"},
                                          "limits": {"cpu": "4", "amd.com/gpu": "2"}}, 2, 4),
        TestCase("a MIG slice is no GPU", {"limits": {"nvidia.com/mig-1g.5gb": 1}}, 0, 0),
        TestCase("a TPU is no GPU", {"limits": {"google.com/tpu": 4}}, 0, 0),
        TestCase("of several the first by name", {"limits": {"b.com/gpu": 2, "a.com/gpu": 4}},
                 4, 0),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_counts(case: TestCase) -> None:
    assert (gpus(case.resources), cpus(case.resources)) == (case.gpus, case.cpus)


def test_merge_keeps_what_is_not_named() -> None:
    base = {"limits": {"nvidia.com/gpu": "8"}, "claims": [{"name": "imex"}]}
    wanted = {"limits": {"memory": "1024Mi"}, "claims": [{"name": "nic"}]}
    assert merged(base, wanted, claims=True) == {
        "limits": {"nvidia.com/gpu": "8", "memory": "1Gi"},
        "claims": [{"name": "imex"}, {"name": "nic"}],
    }
    assert "claims" not in merged(base, wanted, claims=False)


def test_requests_of_a_pod() -> None:
    """The worked example of the controlplane facts, section 3.11."""
    node = [{"requests": {"cpu": "250m", "memory": "100Mi"}}, {"requests": {"cpu": "100m"}}]
    inits = [
        ({"requests": {"cpu": "2", "memory": "1000"}}, False),
        ({"requests": {"cpu": "500m"}}, True),
        ({"requests": {"cpu": "1800m"}}, False),
    ]
    got = pod_requests(node, inits, {}, {"cpu": "10m", "memory": "1Mi"})
    assert {name: str(amount) for name, amount in got.items()} == {
        "cpu": "2310m",
        "memory": "101Mi",
    }


def test_pod_level_requests_replace_the_sum() -> None:
    got = pod_requests([{"requests": {"cpu": "1", "x.io/y": "1"}}], [],
                       {"requests": {"cpu": "5", "x.io/y": "9"}}, {})  # fmt: skip
    assert {name: str(amount) for name, amount in got.items()} == {"cpu": "5", "x.io/y": "1"}
