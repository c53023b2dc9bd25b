"""The team's rules in CEL, run by cel-python's interpreter.

In: rules. Out: a function that evaluates them for a job, and an error for each that cannot be read.
The only module that knows celpy: importing it costs 200 ms, so nobody without rules pays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import celpy
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError

from trainc.errors import Problem
from trainc.info.info import Info
from trainc.lint.lint import Inspect
from trainc.plan.plan import Object

if TYPE_CHECKING:
    from trainc.lint.settings import Rule


def team_rules(rules: Sequence[Rule]) -> tuple[Inspect, list[Problem]]:
    """Compiles the rules, once each."""
    programs: list[tuple[Rule, Any]] = []
    broken: list[Problem] = []
    for rule in rules:
        environment = celpy.Environment()
        try:
            programs.append((rule, environment.program(environment.compile(rule.expression))))
        except CELParseError as error:
            broken.append(_broken(rule, f"is no CEL expression: {_first_line(error)}"))
    told: set[str] = set()

    def inspect(info: Info, objects: tuple[Object, ...]) -> Iterator[Problem]:
        known = _activation(info, objects)
        for rule, program in programs:
            verdict = _verdict(rule, program, known)
            if isinstance(verdict, Problem):
                if rule.name not in told:  # once, not once for every job
                    told.add(rule.name)
                    yield verdict
            elif not verdict:
                yield _finding(rule, info)

    return inspect, broken


def _activation(info: Info, objects: tuple[Object, ...]) -> dict[str, Any]:
    """What an expression can name."""
    return {
        "trainjob": json_to_cel(info.spec.job.document.root),
        "runtime": json_to_cel(info.spec.runtime.document.root),
        "manifests": json_to_cel([dict(each.manifest) for each in objects]),
    }


def _verdict(rule: Rule, program: Any, known: dict[str, Any]) -> bool | Problem:
    try:
        value = program.evaluate(known)
    except CELEvalError as error:
        return _broken(rule, f"cannot be evaluated: {_first_line(error)}")
    if not isinstance(value, bool | BoolType):
        return _broken(rule, f"must be true or false, is {type(value).__name__}")
    return bool(value)


def _finding(rule: Rule, info: Info) -> Problem:
    path: tuple[str | int, ...] = (
        tuple(rule.field.split(".")) if rule.field else ("metadata", "name")
    )
    problem = info.spec.problem(path, rule.message, code=rule.name)
    return problem._replace(severity=rule.severity)  # type: ignore[arg-type]  # "off" never runs


def _broken(rule: Rule, message: str) -> Problem:
    hint = "names: trainjob, runtime, manifests; guard optional fields with has(...)"
    return Problem(f"rule {rule.name} {message}", rule.mark, field="expression", hint=hint)


def _first_line(error: Exception) -> str:
    return str(error.args[0] if error.args else error).partition("\n")[0]
