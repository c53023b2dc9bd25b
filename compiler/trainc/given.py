"""A project for Python programs: its settings, and what the caller gives beside them.

In: a folder with a ``trainc.yaml``. Out: the ``Plan`` of one environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trainc.pipeline import OnChange, Options, Profile, compile_sources
from trainc.plan.plan import Emit, Plan
from trainc.plan.replace import ARGOCD_HINT, ARGOCD_MESSAGE
from trainc.project.environment import chosen
from trainc.project.file import project
from trainc.source.document import Document
from trainc.source.reader import PROJECT_FILE
from trainc.source.values import Values, of_document


class Given(NamedTuple):
    """What the caller says of a build; None leaves it to the project, else to the default."""

    env: str | None = None
    namespace: str | None = None
    values: Mapping[str, Any] | None = None
    profile: Profile | None = None
    emit: Emit | None = None
    on_change: OnChange | None = None


def project_root(sources: object) -> str | None:
    """The folder of the project that the sources are; None where they are no project."""
    if not isinstance(sources, str | Path) or "\n" in str(sources):
        return None
    root = os.path.abspath(sources)
    return root if os.path.lexists(os.path.join(root, PROJECT_FILE)) else None


def with_given(options: Options, given: Given) -> Options:
    """The options of a build without a project.

    Raises:
        ValueError: A setting that only projects have, or two that exclude each other.
    """
    for name in ("env", "values"):
        if getattr(given, name) is not None:
            raise ValueError(f"{name}: the sources are no folder with a {PROJECT_FILE}")
    return _checked(
        options._replace(
            namespace=given.namespace or "default",
            profile=given.profile or "none",
            emit=given.emit or "jobset",
            on_change=given.on_change or "keep",
        )
    )


def of_project(root: str, runtimes: tuple[str, ...], options: Options, given: Given) -> Plan:
    """The plan of one environment.

    Args:
        root: The folder of the project.
        runtimes: Where runtimes are looked up before the project's own places.
        options: Of the build.
        given: What the caller says beside the project.

    Raises:
        TraincError: The project cannot be read, or has no such environment.
        ValueError: Two settings exclude each other.
    """
    found = project(root)
    (env,) = chosen(found, given.env, several=False)
    settings: dict[str, Any] = {
        name: getattr(given, name) or getattr(found, name)
        for name in ("namespace", "profile", "emit", "on_change")
    }
    whole = options._replace(
        **settings,
        runtimes=runtimes,
        project=found,
        env=env,
        values=_values(given.values),
        features={**found.features, **options.features},
        lint="build",
        reader=found.reader,
    )
    return compile_sources((), _checked(whole))


def _values(values: Mapping[str, Any] | None) -> Values | None:
    if values is None:
        return None
    document = Document("<values>", 0, dict(values), {}, 0)
    return of_document(document, document.root)


def _checked(options: Options) -> Options:
    """The options, if they can hold together.

    Raises:
        ValueError: They cannot; says what to change.
    """
    if options.compat and (options.profile != "none" or options.on_change != "keep"):
        raise ValueError("compat reproduces the reference's objects: no profile, no on_change")
    if options.on_change == "replace" and options.profile == "none":
        raise ValueError("on_change='replace' needs profile='flux': it is the tool that replaces")
    if options.on_change == "replace" and options.profile == "argocd":
        raise ValueError(f"{ARGOCD_MESSAGE}: {ARGOCD_HINT}")
    return options
