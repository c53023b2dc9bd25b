"""The contract of an Argo CD config management plugin: what it is, and what it is told.

In: the environment of the plugin's process. Out: the plugin's definition, the parameters it
announces, and the arguments of the build that a request asks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from trainc import codes
from trainc.errors import Problem, TraincError
from trainc.gitops.repository import strays

# Argo CD puts a user's variables behind this, so that they cannot reach PATH and the like.
_ENV: Final = "ARGOCD_ENV_TRAINC_"
_PARAMETERS: Final = "ARGOCD_APP_PARAMETERS"

# Name of a parameter -> its type, and what it says in the UI. Each is an option of `trainc build`.
_KNOWN: Final = {
    "env": ("string", "Environment", "Which of the project's environments to build."),
    "namespace": ("string", "Namespace", "Namespace of objects that name none."),
    "feature": ("array", "Features", "Feature gates to switch on."),
    "set": ("map", "Values", "Values for templates, each as YAML."),
    "values": ("array", "Value files", "Files of values, the last one strongest."),
    "emit": ("string", "Emit", "both: each TrainJob too, after its JobSet."),
    "allow-ttl": ("string", "Allow TTL", "true: keep ttlSecondsAfterFinished."),
}


def plugin() -> dict[str, Any]:
    """The file ``/home/argocd/cmp-server/config/plugin.yaml`` of the sidecar."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ConfigManagementPlugin",
        "metadata": {"name": "trainc"},
        "spec": {
            "discover": {"fileName": "./trainc.yaml"},
            "generate": {"command": ["trainc", "argocd", "generate", "."]},
            "parameters": {"dynamic": {"command": ["trainc", "argocd", "parameters"]}},
            "preserveFileMode": False,
        },
    }


def announcements(options: Iterable[str]) -> list[dict[str, Any]]:
    """What the UI offers, for the options that this build of trainc has."""
    known = set(options)
    return [
        {"name": name, "title": title, "tooltip": tooltip, "collectionType": kind}
        for name, (kind, title, tooltip) in _KNOWN.items()
        if name in known
    ]


def arguments(environ: Mapping[str, str], options: Iterable[str], root: str) -> list[str]:
    """The arguments of ``trainc build`` that Argo CD's request comes to.

    A parameter goes before a variable of the same name. ``ARGOCD_ENV_TRAINC_NAMESPACE`` is
    ``--namespace``; lists in variables are separated by commas.

    Args:
        environ: The environment of the plugin's process.
        options: The names of the options of this build of trainc.
        root: The repository; no file outside of it may be named.

    Raises:
        TraincError: a parameter nobody knows, one of the wrong type, or a file elsewhere.
    """
    known = set(options)
    given = {**_variables(environ), **_announced(environ.get(_PARAMETERS) or "[]")}
    unknown = sorted(set(given) - (known & set(_KNOWN)))
    if unknown:
        names = ", ".join(name for name in _KNOWN if name in known)
        raise TraincError(
            [
                Problem(
                    f'no parameter is called "{name}"', codes.FUNCTION, hint=f"parameters: {names}"
                )
                for name in unknown
            ]
        )
    if outside := [*strays(root, given.get("values") or ())]:
        raise TraincError(outside)
    return [option for name, value in given.items() for option in _option(name, value)]


def _option(name: str, value: Any) -> list[str]:
    if value == "":
        return []  # a field that was cleared: the project's default
    if name == "allow-ttl":
        if value not in ("true", "false"):
            message = f'parameter "{name}" must be true or false, is {value}'
            raise TraincError([Problem(message, codes.FUNCTION)])
        return ["--allow-ttl"] if value == "true" else []
    if isinstance(value, dict):
        return [f"--{name}={key}={item}" for key, item in sorted(value.items())]
    return [f"--{name}={item}" for item in (value if isinstance(value, list) else [value])]


def _variables(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in sorted(environ):
        if not key.startswith(_ENV):
            continue
        name = key.removeprefix(_ENV).lower().replace("_", "-")
        kind = _KNOWN.get(name, ("string",))[0]
        items = [item for item in environ[key].split(",") if item]
        if kind == "map":
            found[name] = dict(item.partition("=")[::2] for item in items)
        else:
            found[name] = items if kind == "array" else environ[key]
    return found


def _announced(text: str) -> dict[str, Any]:
    """The parameters of the request, a JSON list. Argo CD sends ``null`` where there are none."""
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_list(f"is no JSON: {error}") from error
    listed = [] if listed is None else listed
    if not isinstance(listed, list) or not all(map(_is_named, listed)):
        raise _no_list("must be a list of objects that have a name")
    return {item["name"]: _value(item) for item in listed}


def _no_list(message: str) -> TraincError:
    hint = 'Argo CD sends, for example: [{"name": "env", "string": "prod"}]'
    return TraincError([Problem(f"{_PARAMETERS} {message}", codes.FUNCTION, hint=hint)])


def _is_named(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _value(item: Mapping[str, Any]) -> Any:
    """The value of a parameter, None where nobody knows the parameter."""
    kind = _KNOWN.get(item["name"], ("",))[0]
    if not kind:
        return None
    value = item.get(kind)
    if not _IS_KIND[kind](value):
        message = f'parameter "{item["name"]}" must have a field "{kind}" that holds {_HOLDS[kind]}'
        raise TraincError([Problem(message, codes.FUNCTION)])
    return value


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(each, str) for each in values)


_IS_KIND: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list) and _are_texts(value),
    "map": lambda value: isinstance(value, dict) and _are_texts(value.values()),
}
_HOLDS: Final = {"string": "text", "array": "a list of text", "map": "a map of text"}
