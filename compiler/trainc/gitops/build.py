"""``kind: TrainBuild``: the options of a build as a KRM function is given them.

In: the function's config, or none. Out: a ``Build`` and what is wrong with the config. A ConfigMap
is taken too, its ``data`` as the options, because kpt passes flags as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

from trainc import codes
from trainc.errors import Problem
from trainc.kube.validation.forms import dns_label
from trainc.plan.plan import Emit
from trainc.plan.replace import ARGOCD_HINT, ARGOCD_MESSAGE

if TYPE_CHECKING:
    from trainc.gitops.resourcelist import Item

CONFIG: Final = "TrainBuild"
_GROUP: Final = "trainc.dev/"
_CHOICES: Final = {
    "emit": ("jobset", "both"),
    "onChange": ("keep", "rename", "replace"),
    "profile": ("none", "argocd", "flux"),
}
_TEXTS: Final = ("imagePrefix", "namespace")
_KEYS: Final = (*_CHOICES, "features", *_TEXTS)


class Build(NamedTuple):
    """What a function is asked to do; the words are those of ``trainc.yaml``."""

    namespace: str = "default"
    emit: Emit = "jobset"
    on_change: Literal["keep", "rename", "replace"] = "keep"
    profile: str = "none"
    image_prefix: str | None = None
    features: tuple[str, ...] = ()


def asked(config: Item | None) -> tuple[Build, list[Problem]]:
    """The options in a function's config; the defaults where it is something else.

    Args:
        config: ``functionConfig``, None where there is none.
    """
    if config is None:
        return Build(), []
    if config.document.kind not in (CONFIG, "ConfigMap"):
        unknown = config.document.api_version.startswith(_GROUP)
        hint = f"write kind: {CONFIG}"
        return Build(), [_problem(config, ("kind",), "unknown kind", hint)] if unknown else []
    field = "spec" if config.document.kind == CONFIG else "data"
    written = config.document.root.get(field) or {}
    if not isinstance(written, Mapping):
        return Build(), [_problem(config, (field,), "must be a map")]
    problems = [
        _problem(config, (field, key), message, hint)
        for key, value in written.items()
        for message, hint in [_refusal(str(key), value)]
        if message
    ]
    build = Build() if problems else _build(written)
    if build.on_change == "replace" and build.profile == "none":
        hint = "profile: argocd or flux"
        problems.append(_problem(config, (field, "onChange"), "replace needs a profile", hint))
    if build.on_change == "replace" and build.profile == "argocd":
        wrong = _problem(config, (field, "onChange"), ARGOCD_MESSAGE, ARGOCD_HINT)
        problems.append(wrong._replace(code="TRC424"))
    return build, problems


def _build(written: Mapping[str, Any]) -> Build:
    features = written.get("features", ())
    names = features.split(",") if isinstance(features, str) else features
    return Build(
        written.get("namespace", "default"),
        cast(Any, written.get("emit", "jobset")),
        cast(Any, written.get("onChange", "keep")),
        written.get("profile", "none"),
        written.get("imagePrefix"),
        tuple(name for name in names if name),
    )


def _refusal(key: str, value: Any) -> tuple[str, str]:
    """Why an option cannot be used, and what to do; empty where it can."""
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, 1)
        return "unknown option", f"did you mean {near[0]}?" if near else f"known: {_listed(_KEYS)}"
    if key in _CHOICES:
        bad = value not in _CHOICES[key]
        return f"must be one of {_listed(_CHOICES[key])}" if bad else "", ""
    if key in _TEXTS:
        if not isinstance(value, str) or not value:
            return "must be text", ""
        return dns_label(value) if key == "namespace" else "", ""
    if isinstance(value, str):
        return "", ""
    texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return "" if texts else "must be a list of names", ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(sorted(names))


def _problem(config: Item, path: tuple[str, ...], message: str, hint: str = "") -> Problem:
    document = config.document
    return Problem(
        message, codes.FUNCTION, document.mark(path), document.label, ".".join(path), hint=hint
    )
