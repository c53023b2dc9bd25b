"""The CEL rules of the CRDs as native predicates, each beside the CEL text it stands for.

In: a document the schema admits. Out: the rules it breaks, in file order. A CEL engine costs 200 ms
to import and 0.1 to 1 ms a rule; a predicate costs a microsecond. ``rules_test.py`` proves that
both say the same, and that no rule of the CRDs is missing here.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from trainc import codes
from trainc.errors import Problem, field_path
from trainc.source.document import Document
from trainc.spec.objectmeta import check_metadata
from trainc.spec.predicate import (
    at_least_one,
    claims_have_no_namespace,
    has_name,
    has_runtime_ref,
    has_time,
    in_order_or_depends,
    is_controller,
    is_uri,
    name_is_label,
    name_is_short,
    one_policy,
    spares_node,
)
from trainc.spec.violation import Path, shown


class Rule(NamedTuple):
    """A rule on one value of a document.

    Attributes:
        path: Where the value stands: ``spec.runtimePatches[].manager``; empty is the whole object.
        cel: The rule's text in the CRD, empty for a rule that no CRD holds.
        message: What the API server says when it is broken.
        holds: The same rule in Python.
        words: The same for who edits the file, where the message can be plainer.
        blame: The field to name, below the value.
        hint: How to mend it.
    """

    path: str
    cel: str
    message: str
    holds: Callable[[Any], bool]
    words: str = ""
    blame: Path = ()
    hint: str = ""


def check_rules(
    document: Document, schema_name: str, *, sound: bool = True, metadata: bool = True
) -> list[Problem]:
    """Gives the rules that a document breaks, in file order.

    Args:
        document: One that ``spec/schema.py`` finds nothing wrong with, defaults applied.
        schema_name: TrainJob, TrainingRuntime or ClusterTrainingRuntime.
        sound: Also refuse what the reference admits and then runs without a single process.
        metadata: Also refuse metadata that only the API server looks at.
    """
    problems: list[Problem] = []
    root = document.root
    spec = root.get("spec") or ()
    for section, steps, rule in _PLANS[schema_name, sound]:
        if section and section not in spec:
            continue
        for path, value in found(root, steps) if steps else (((), root),):
            if not rule.holds(value):
                problems.append(_problem(document, rule, path, value))
    if metadata and has_name(root):
        problems += check_metadata(document, schema_name)
    return problems if len(problems) < 2 else _in_file_order(problems)


def found(value: Any, steps: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields path and value wherever the steps lead; an absent field leads nowhere."""
    for number, step in enumerate(steps, 1):
        if step == "[]":
            for index, item in enumerate(value):
                yield from found(item, steps[number:], (*path, index))
            return
        if step not in value:
            return
        value = value[step]
        path = (*path, step)
    yield path, value


def _problem(document: Document, rule: Rule, path: Path, value: Any) -> Problem:
    for step in rule.blame:
        value = value.get(step) if isinstance(value, dict) else None
    bare = value is None or isinstance(value, dict | list) or rule.holds is has_name
    got = "" if bare else f", got {shown(value)}"
    return Problem(
        message=f"{rule.words or rule.message}{got}",
        code=codes.API_RULE,
        mark=document.mark((*path, *rule.blame)),
        object=document.label,
        field=field_path((*path, *rule.blame)),
        hint=rule.hint,
    )


def _in_file_order(problems: list[Problem]) -> list[Problem]:
    """Sorts by place, and says of a missing name only that it is missing."""
    missing = [p for p in problems if p.field == "metadata.name" and p.message == _NAMED.message]
    if missing:
        problems = missing + [p for p in problems if p.field != "metadata.name"]
    return sorted(problems, key=lambda problem: problem.mark[1:] if problem.mark else (0, 0))


# --- The rules of the CRDs ------------------------------------------------------------------------
_URI_CEL: Final = "self == '' || self.matches('^[A-Za-z][A-Za-z0-9+.-]*://.+$')"
_URI_MESSAGE: Final = "storageUri may be empty, or it must be a valid URI (scheme://...)"
_NAME_FIELD: Final = ("metadata", "name")

_TRAIN_JOB: Final = (
    Rule(
        "",
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must match RFC 1035 DNS label format",
        name_is_label,
        "must match RFC 1035 DNS label format",
        _NAME_FIELD,
        "write small letters, digits and -, a letter first and no - last",
    ),
    Rule(
        "",
        "size(self.metadata.name) <= 63",
        "metadata.name must be no more than 63 characters",
        name_is_short,
        "must be no more than 63 characters",
        _NAME_FIELD,
    ),
    Rule("spec.initializer.dataset.storageUri", _URI_CEL, _URI_MESSAGE, is_uri),
    Rule("spec.initializer.model.storageUri", _URI_CEL, _URI_MESSAGE, is_uri),
    Rule(
        "spec.managedBy",
        "self in ['trainer.kubeflow.org/trainjob-controller', 'kueue.x-k8s.io/multikueue']",
        "ManagedBy must be trainer.kubeflow.org/trainjob-controller or "
        "kueue.x-k8s.io/multikueue if set",
        is_controller,
        "must be trainer.kubeflow.org/trainjob-controller or kueue.x-k8s.io/multikueue if set",
    ),
    Rule(
        "status.trainerStatus",
        "has(self.lastUpdatedTime)",
        "lastUpdatedTime is required when trainerStatus is present",
        has_time,
    ),
)

_RUNTIME: Final = (
    Rule(
        "spec.mlPolicy",
        "[has(self.torch), has(self.mpi), has(self.jax), has(self.xgboost),has(self.flux)]"
        ".filter(x, x).size() <= 1",
        "Only one of the policy can be configured",
        one_policy,
        "must set only one of torch, mpi, jax, xgboost and flux",
    ),
    Rule(
        "spec.mlPolicy.flux.numProcPerNode",
        "self >= 1",
        "NumProcPerNode in fluxPolicy must be >= 1",
        at_least_one,
        "must be at least 1",
    ),
    Rule(
        "spec.mlPolicy.torch.envInjection.targets[].containerNames",
        "!self.exists(c, c == 'node')",
        "containerNames must not include the main node container because PET_* envs are always "
        "injected into it",
        spares_node,
        "must not name the container node: it gets the PET_* variables anyway",
    ),
    Rule(
        "spec.template.spec",
        "!(has(self.startupPolicy) && self.startupPolicy.startupPolicyOrder == 'InOrder' && "
        "self.replicatedJobs.exists(x, has(x.dependsOn)))",
        "StartupPolicy and DependsOn APIs are mutually exclusive",
        in_order_or_depends,
        "must not have both startupPolicy InOrder and jobs with dependsOn",
    ),
    Rule(
        "spec.template.spec.volumeClaimPolicies[]",
        "self.templates.all(t, !has(t.metadata.namespace) || size(t.metadata.namespace) == 0)",
        "namespace cannot be set for VolumeClaimPolicies templates",
        claims_have_no_namespace,
        "must hold templates with metadata and without a namespace",
    ),
)

RULES: Final = {
    "TrainJob": _TRAIN_JOB,
    "TrainingRuntime": _RUNTIME,
    "ClusterTrainingRuntime": _RUNTIME,
}

# --- What no rule of a CRD says -------------------------------------------------------------------

_NAMED: Final = Rule(
    "",
    "",
    "must be set",
    has_name,
    blame=_NAME_FIELD,
    hint="a build needs the name itself; generateName is for the cluster",
)
_REFERS: Final = Rule("", "", "must be set", has_runtime_ref, blame=("spec", "runtimeRef"))

# The API server and the webhook refuse these in either mode, outside the CRD.
ALWAYS: Final = {
    "TrainJob": (_NAMED, _REFERS),
    "TrainingRuntime": (_NAMED,),
    "ClusterTrainingRuntime": (_NAMED,),
}

_SOUND_RUNTIME: Final = (
    Rule("spec.mlPolicy.numNodes", "", "must be at least 1", at_least_one),
    Rule("spec.mlPolicy.mpi.numProcPerNode", "", "must be at least 1", at_least_one),
)

# Refused by default, admitted by v2.3.0: a job of no nodes or no processes trains nothing.
SOUND: Final = {
    "TrainJob": (
        Rule("spec.trainer.numNodes", "", "must be at least 1", at_least_one),
        Rule("spec.trainer.numProcPerNode", "", "must be at least 1", at_least_one),
    ),
    "TrainingRuntime": _SOUND_RUNTIME,
    "ClusterTrainingRuntime": _SOUND_RUNTIME,
}


def steps(path: str) -> tuple[str, ...]:
    """Gives the steps of a rule's path, ``[]`` for "each item".

    >>> steps("spec.runtimePatches[].manager")
    ('spec', 'runtimePatches', '[]', 'manager')
    """
    return tuple(path.replace("[]", ".[]").split(".")) if path else ()


def _section(path: tuple[str, ...]) -> str:
    """The field of ``spec`` that a rule is about, empty where it is about more."""
    return path[1] if len(path) > 1 and path[0] == "spec" else ""


_PLANS: Final = {
    (name, sound): tuple(
        (_section(steps(rule.path)), steps(rule.path), rule)
        for rule in (*ALWAYS[name], *RULES[name], *(SOUND[name] if sound else ()))
    )
    for name in RULES
    for sound in (False, True)
}
