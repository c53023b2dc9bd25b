"""Options of every command that compiles, and what they and the project file come to together.

In: click's context and the flags. Out: a ``Request``: which paths, which environments, and the
pipeline's ``Options`` of each. A flag goes before ``trainc.yaml``, which goes before the default.
"""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trainc import codes
from trainc.budget import Budget
from trainc.cli.flags import COMPILING, ENVIRONMENT
from trainc.cli.place import placing
from trainc.errors import Problem, TraincError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

    from trainc.manifest.scope import Scope
    from trainc.pipeline import Options
    from trainc.project.file import Project
    from trainc.source.reader import Reader
    from trainc.source.values import Values

F = TypeVar("F", bound=Callable[..., Any])

# Folders that make a project of a folder without trainc.yaml.
_PROJECT_FOLDERS = ("overlays", "templates")


def compiling(command: F) -> F:
    """Adds PATH... and the options that say how to compile."""
    for option in reversed(COMPILING):
        command = option(command)
    return command


def environment(command: F) -> F:
    """Adds the options that say which environment, with which values."""
    for option in reversed(ENVIRONMENT):
        command = option(command)
    return command


class Request:
    """What a command was asked to compile.

    Attributes:
        paths: Files and folders; with a project those its jobs are limited to, empty for all.
        project: The project they belong to, or None.
        inputs: The paths as given.
        below: Folders below the paths that are projects of their own.
        among_others: Whether the command works on other projects too.
    """

    among_others = False

    def __init__(
        self,
        ctx: click.Context,
        inputs: tuple[str, ...],
        flags: dict[str, Any],
        below: tuple[str, ...] = (),
    ) -> None:
        """Looks for the project; reads nothing else yet."""
        from trainc.source.reader import Reader

        self._flags, self.inputs, self.below = flags, inputs, below
        self._reader = Reader(ctx.obj.root)
        self._given = {name for name in flags if _is_given(ctx, name)}
        self._budget = Budget()
        self.project = project_of(inputs, self._reader)
        whole = self.project is not None and _is_root(inputs, self.project.root)
        self.paths = () if whole else inputs or (".",)

    def has(self, env: str | None) -> bool:
        """Whether the project has an environment; every one has all and none."""
        if env in (None, "all"):
            return True
        if self.project is None:
            return False
        from trainc.project.environment import environments

        return env in environments(self.project)

    def environments(self, *, several: bool) -> tuple[str | None, ...]:
        """The environments to compile; one None where there are none.

        Args:
            several: Whether the command takes more than one.

        Raises:
            TraincError: There is no such environment, or one has to be named.
        """
        wanted: str | None = self._flags.get("env")
        if self.project is not None:
            from trainc.project.environment import chosen

            remedy = "--out-dir takes all of them" if "out_dir" in self._flags else ""
            with placing(self.project.root):
                return chosen(self.project, wanted, several=several, remedy=remedy)
        if wanted is not None:
            raise click.UsageError("--env: there is no project here: trainc.yaml or overlays/")
        return (None,)

    def known(self) -> list[str] | None:
        """The project's environments, where the command is about all of them; None else."""
        if self.project is None or self._flags.get("env") not in (None, "all"):
            return None
        from trainc.project.environment import environments

        return [*environments(self.project)]

    def gone(self, folder: "Path") -> list[str]:
        """Folders below the output's that no longer are what is built there.

        They are those of environments that the project no longer has; and the output's own, empty,
        where it was written before the project had any.
        """
        known = self.known()
        if known is None:
            return []
        from trainc.manifest.index import NAME

        own = [""] if known and (folder / NAME).exists() else []
        return own + sorted(
            index.parent.name
            for index in folder.glob(f"*/{NAME}")
            if index.parent.name not in known
        )

    def scope(self) -> "Scope":
        """The sources that the command covers: whose output it may remove, or call stale."""
        from trainc.manifest.scope import Scope
        from trainc.source.walk import repository_root

        places = [os.path.realpath(path) for path in self.paths if path != "-"]
        if self.project is None:
            first = places[0] if places else os.getcwd()
            return Scope(tuple(places), self.below, repository_root(first))
        root = self.project.root
        repository = repository_root(root)
        base, portable = repository or root, repository is not None
        if self.paths:
            return Scope(tuple(places), self.below, base, portable=portable)
        places = [os.path.realpath(os.path.join(root, place)) for place in self.project.sources]
        return Scope((root, *places), self.below, base, root, portable=portable)

    def options(self, env: str | None) -> "Options":
        """What the pipeline is told for one environment."""
        from trainc.pipeline import Options

        status_ca = self._flags["status_ca"]
        return Options(
            runtimes=self._flags["runtimes"],
            namespace=self.setting("namespace", "default"),
            compat=self._flags["compat"],
            features={**(self.project.features if self.project else {}), **self._flags["features"]},
            emit=self.setting("emit", "jobset"),
            status_ca=None if status_ca is None else _certificate(status_ca, self._reader),
            image_prefix=self._flags["image_prefix"],
            project=self.project,
            env=env,
            values=self._values(),
            on_change=self._on_change(),
            profile=self.setting("profile", "none"),
            allow_ttl=self._flags.get("allow_ttl", False),
            shared=self._flags.get("shared", False),
            lint="build",
            budget=self._budget,
            reader=self._reader,
        )

    def output(self, given: str | None) -> str:
        """The folder of the rendered output: the flag's, the project's, else ``out``."""
        if given is not None:
            return given
        if self.project is None:
            return "out"
        return os.path.relpath(os.path.join(self.project.root, self.project.output))

    def setting(self, name: str, default: Any) -> Any:
        """A setting: the flag's where it is given, the project's, the default."""
        if name in self._given or self.project is None:
            return self._flags.get(name) or default
        return getattr(self.project, name)

    def _on_change(self) -> Any:
        strategy = self.setting("on_change", "keep")
        if strategy == "replace" and self.setting("profile", "none") == "none":
            self._refuse_replace()
        if strategy == "replace" and self.setting("profile", "none") == "argocd":
            self._refuse_argocd()
        if strategy == "rename" and self._flags["compat"]:
            raise click.UsageError("--on-change rename: --compat keeps the reference's names")
        return strategy

    def _refuse_replace(self) -> "NoReturn":
        """Stops where no tool would replace: a flag's mistake, or one of trainc.yaml."""
        document = self.project.document if self.project else None
        if "on_change" in self._given or document is None:
            raise click.UsageError(
                "--on-change replace needs --profile argocd or flux: it is the tool that replaces"
            )
        message = "replace needs a profile: it is the tool that replaces"
        mark, hint = document.mark(("on_change",)), "write profile: argocd, or flux"
        raise TraincError([Problem(message, codes.PROJECT, mark, field="on_change", hint=hint)])

    def _refuse_argocd(self) -> "NoReturn":
        """Stops where Argo CD would recreate jobs that did not change."""
        from trainc.errors import Problem, TraincError
        from trainc.plan.replace import ARGOCD_HINT, ARGOCD_MESSAGE

        document = self.project.document if self.project else None
        is_flag = "on_change" in self._given or document is None
        mark = None if is_flag or document is None else document.mark(("on_change",))
        field = "--on-change" if is_flag else "on_change"
        problem = Problem(ARGOCD_MESSAGE, "TRC424", mark, field=field, hint=ARGOCD_HINT)
        raise TraincError([problem])

    def _values(self) -> "Values | None":
        files, sets = self._flags.get("values") or (), self._flags.get("sets") or ()
        strings = self._flags.get("strings") or ()
        if not (files or sets or strings):
            return None
        if self.project is None and self.among_others:
            return None
        if self.project is None:
            raise click.UsageError("values are for templates, and there is no project here")
        from trainc.source.values import merged, of_file, of_flag

        layers = [of_file(path, path, self._reader) for path in files]
        layers += [of_flag(text, typed=True) for text in sets]
        return merged([*layers, *(of_flag(text, typed=False) for text in strings)])


def requested(ctx: click.Context, inputs: tuple[str, ...], flags: dict[str, Any]) -> Request:
    """What a command line asks for, which is about one project or none."""
    if ctx.obj.hosted:
        ctx.obj.folders = [os.getcwd(), base(inputs)]
    return Request(ctx, inputs, flags)


def base_of(paths: Sequence[str], options: "Options") -> str:
    """The folder that the files of a build are named relative to."""
    return options.project.root if options.project is not None else base(tuple(paths))


def base(inputs: tuple[str, ...]) -> str:
    """The folder that files are named relative to: the project's, else the inputs'."""
    from trainc.source.walk import project_root

    paths = [path for path in inputs or (".",) if path != "-"]
    folders = [path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths]
    root = project_root(folders[0]) if folders else None
    given = [os.path.realpath(path) for path in paths if os.path.isdir(path)]
    return root or (os.path.commonpath(given) if given else ".")


def _is_given(ctx: click.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def project_of(inputs: tuple[str, ...], reader: "Reader | None" = None) -> "Project | None":
    """The project at or above the first path; plain files and folders have none."""
    from trainc.source.walk import project_root

    start = next((path for path in inputs or (".",) if path != "-"), ".")
    folder = start if os.path.isdir(start) else os.path.dirname(start) or "."
    root = project_root(folder, reader)
    if root is None and any(os.path.isdir(os.path.join(start, name)) for name in _PROJECT_FOLDERS):
        root = readable(start, reader)
    if root is None:
        return None
    from trainc.project.file import project

    with placing(root):
        return project(root, reader)


def readable(folder: str, reader: "Reader | None" = None) -> str | None:
    """The real path of a folder; None where it may not be read, which the search reports."""
    from trainc.source.reader import Reader, RefusedError

    try:
        return (reader or Reader()).check(folder)
    except RefusedError:
        return None


def _is_root(inputs: tuple[str, ...], root: str) -> bool:
    """Whether the paths are the project itself."""
    return all(path != "-" and os.path.realpath(path) == root for path in inputs or (".",))


def _certificate(path: str, reader: "Reader") -> str:
    """The text of the file that ``--status-ca`` names: certificates, and no private key."""
    from trainc.source.reader import RefusedError

    try:
        text = reader.read(path).decode()
    except RefusedError as error:
        raise click.BadParameter(f"--status-ca: {path!r} {error.message}") from None
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"--status-ca: {path!r} is no PEM file: {error}") from None
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise click.BadParameter(f"--status-ca: {path!r} holds no certificate in PEM")
    if "PRIVATE KEY-----" in text:
        raise click.BadParameter(f"--status-ca: {path!r} holds a private key")
    return text
