from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trainc.kube.upsert import Items, doubled_ports, upsert, with_port, with_port_quirk

Ports = list[dict[str, Any]]


def port(number: int, name: str | None = None) -> dict[str, Any]:
    return {"containerPort": number} if name is None else {"containerPort": number, "name": name}


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    own: Ports
    added: bool
    want: Ports


@pytest.mark.parametrize(
    "case",
    [
        TestCase("one without a name is replaced", [port(8080)], True, [port(29500)]),
        TestCase("one with a name stays", [port(8080, "http")], True,
                 [port(8080, "http"), port(29500)]),
        TestCase("equal numbers lose the name, then the next replaces it",
                 [port(29500, "rdzv"), port(8080)], True, [port(8080), port(8080)]),
        TestCase("three", [port(8080), port(9090, "x"), port(7070)], True,
                 [port(7070), port(9090, "x"), port(7070)]),
        TestCase("a sidecar's double too", [port(8080), port(9090)], False,
                 [port(9090), port(9090)]),
    ],
    ids=lambda case: case.name,
)  # fmt: skip
def test_ports_of_the_reference(case: TestCase) -> None:
    ports: Items = tuple(case.own)
    if case.added:
        ports = with_port_quirk(ports, (port(29500),))
    assert list(doubled_ports(ports)) == case.want


def test_sound_ports_are_told_apart_by_number_and_protocol() -> None:
    udp = {"containerPort": 29500, "protocol": "UDP"}
    assert with_port((udp,), port(29500)) == (udp, port(29500))
    named = {**port(29500, "rdzv"), "protocol": "TCP"}
    assert with_port((named, port(8080)), port(29500)) == (named, port(8080))


def test_upsert_replaces_in_place_and_appends() -> None:
    items = ({"name": "a", "value": "1"}, {"name": "b", "value": "2"})
    news = [{"name": "c", "value": "3"}, {"name": "a", "value": "4"}, {"name": "c", "value": "5"}]
    assert [i["value"] for i in upsert(items, news, "name")] == ["4", "2", "5"]
    assert items[0]["value"] == "1"
