"""Kubernetes lists that merge by a key: env, volumes by name, mounts by path, ports by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Item = Mapping[str, Any]
Items = tuple[Item, ...]


def upsert(items: Items, news: Iterable[Item], key: str) -> Items:
    """Replaces each item of an equal key in place and appends the others, in order."""
    out = list(items)
    index: dict[Any, int] = {}
    for place, item in enumerate(out):
        index.setdefault(item.get(key), place)
    for new in news:
        first = index.get(new[key])
        if first is None:
            index[new[key]] = len(out)
            out.append(new)
        else:
            out[first] = new
    return tuple(out)


def with_port(ports: Items, port: Item) -> Items:
    """Adds a port unless the same number and protocol is there already, whatever its name."""
    wanted = (port["containerPort"], port.get("protocol", "TCP"))
    if any((p.get("containerPort"), p.get("protocol", "TCP")) == wanted for p in ports):
        return ports
    return (*ports, port)


def with_port_quirk(ports: Items, news: Iterable[Item]) -> Items:
    """Adds ports as v2.3.0 does: two without a name count as one, the later replaces the other.

    Source: ``pkg/util/apply`` of v2.3.0, pinned by the corpus case torch-existing-port.
    """
    out = list(ports)
    for new in news:
        for place, old in enumerate(out):
            if old.get("containerPort") == new.get("containerPort") or (
                old.get("name") == new.get("name")
            ):
                out[place] = new
                break
        else:
            out.append(new)
    return tuple(out)


def doubled_ports(ports: Items) -> Items:
    """A container's ports after v2.3.0 has merged the list, as it stands, into itself."""
    out = ports
    for place in range(len(ports)):
        out = with_port_quirk(out, (out[place],))
    return out


def doubled_mounts(mounts: Items) -> Items:
    """A container's mounts after v2.3.0 has merged the list into itself, path by path."""
    out = list(mounts)
    for mount in mounts:
        path = mount.get("mountPath")
        place = next(place for place, old in enumerate(out) if old.get("mountPath") == path)
        out[place] = mount
    return tuple(out)
