"""One job explained, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from trainc.errors import Mark
from trainc.explain.setting import Setter, Setting
from trainc.explain.start import World

# Of a runtime the line is enough: its fields are as long as the JobSet's.
_SHOWN: Final = 8  # nodes whose lines people read; programs get them all
_FIELDS_SHOWN: Final = ("TrainJob", "overlay")


class Explanation(NamedTuple):
    """What is known of one job.

    Attributes:
        job: Namespace and name.
        mark: Where its TrainJob stands.
        runtime: Its runtime's label.
        runtime_mark: Where that stands.
        environment: None where the project has none.
        world: What it starts; None where a PATH asks for something else.
        settings: What is to be shown.
    """

    job: tuple[str, str]
    mark: Mark
    runtime: str
    runtime_mark: Mark
    environment: str | None
    world: World | None
    settings: tuple[Setting, ...]


def as_text(explanations: Sequence[Explanation]) -> Iterator[str]:
    """Yields each job: what it starts, then its settings in groups, each with who set it."""
    for number, each in enumerate(explanations):
        lines = ["" if number else None, _title(each)]
        if each.world is not None:
            lines += _world(each.world)
        lines += _settings(each.settings)
        yield _harmless("\n".join(line for line in lines if line is not None)) + "\n"


def _title(each: Explanation) -> str:
    env = f", environment {each.environment}" if each.environment else ""
    job = f"TrainJob {'/'.join(each.job)} ({each.mark}{env})"
    return f"{job}\n  runtime {each.runtime} ({each.runtime_mark})"


def _world(world: World) -> Iterator[str]:
    yield f"  policy {world.policy}"
    if world.size is None:
        size, each = "decided on the nodes", str(world.processes)
    else:
        size, each = str(world.size), str(world.size // max(world.nodes, 1))
        each += "" if each == str(world.processes) else f" ({world.processes})"
    yield f"  world size {size}: nodes {world.nodes}, processes on each {each}"
    idle = world.gpus_asked - world.gpus_used
    wasted = f", {idle} idle" if idle else ""
    yield f"  GPUs {world.gpus_asked} asked, {world.gpus_used} used{wasted}"
    if world.note:
        yield f"  note: {world.note}"
    if world.lines:
        yield "\nstarts"
    for name, line in world.lines[:_SHOWN]:
        yield f"  {name}: {line}"
    more = world.more + max(len(world.lines) - _SHOWN, 0)
    if more:
        yield f"  ... and {more} more nodes, each with its own rank"
    if world.hostfile:
        yield "\nhostfile"
        yield from (f"  {line}" for line in world.hostfile.splitlines())


def _settings(settings: Sequence[Setting]) -> Iterator[str]:
    """The settings in columns, under a heading for each group."""
    group = None
    for setting in settings:
        heading = setting.group or "job"
        if heading != group:
            group = heading
            yield f"\n{heading}"
        label = setting.label if setting.group else setting.path
        yield f"  {label} = {shown(setting.value)}"
        yield f"      {said(setting.setter)}"
        for former in reversed(setting.former):
            yield f"      over {shown(former.value)}: {said(former.setter)}"


def said(setter: Setter) -> str:
    """Who set a value, with the line."""
    name = f" {setter.name}" if setter.name else ""
    where = f"  {setter.mark}" if setter.mark else ""
    field = f" ({setter.field})" if setter.field and setter.who in _FIELDS_SHOWN else ""
    note = f"; {setter.note}" if setter.note else ""
    return f"{setter.who}{name}{where}{field}{note}"


def shown(value: Any) -> str:
    """A value as JSON; plain text as it is where nothing in it needs quotes."""
    return json.dumps(value, ensure_ascii=False)


def as_json(explanations: Sequence[Explanation]) -> str:
    """A list with one entry a job."""
    return json.dumps([_entry(each) for each in explanations], indent=2, ensure_ascii=False) + "\n"


def _entry(each: Explanation) -> dict[str, Any]:
    out: dict[str, Any] = {
        "namespace": each.job[0],
        "name": each.job[1],
        **_mark(each.mark),
        "runtime": {"name": each.runtime, **_mark(each.runtime_mark)},
    }
    if each.environment is not None:
        out["environment"] = each.environment
    if each.world is not None:
        out["world"] = _of_world(each.world)
    out["settings"] = [_of_setting(setting) for setting in each.settings]
    return out


def _of_world(world: World) -> dict[str, Any]:
    out: dict[str, Any] = {
        "policy": world.policy,
        "nodes": world.nodes,
        "processesPerNode": world.processes,
        "size": world.size,
        "gpus": {"asked": world.gpus_asked, "used": world.gpus_used},
        "starts": [{"pod": name, "line": line} for name, line in world.lines],
        "moreNodes": world.more,
    }
    more = {"hostfile": world.hostfile, "note": world.note}
    return out | {key: value for key, value in more.items() if value}


def _of_setting(setting: Setting) -> dict[str, Any]:
    out: dict[str, Any] = {"path": setting.path, "value": setting.value}
    out["setBy"] = _of_setter(setting.setter)
    if setting.former:
        out["over"] = [
            {"value": each.value, "setBy": _of_setter(each.setter)} for each in setting.former
        ]
    return out


def _of_setter(setter: Setter) -> dict[str, Any]:
    out: dict[str, Any] = {"who": setter.who}
    for key, value in (("name", setter.name), ("field", setter.field), ("note", setter.note)):
        if value:
            out[key] = value
    return {**out, **(_mark(setter.mark) if setter.mark else {})}


def _mark(mark: Mark) -> dict[str, Any]:
    return {"file": mark.file, "line": mark.line, "column": mark.column}


def _harmless(text: str) -> str:
    """The text without what a file under review could use to steer the reader's terminal."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
