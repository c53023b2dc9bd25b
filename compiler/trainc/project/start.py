"""A project begun: a commented ``trainc.yaml``, a TrainJob, two environments, gates for CI.

In: a folder. Out: the files that were not there yet; what is there is never touched. The example is
written whole or not at all, because its patches name its job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from trainc import codes, names
from trainc.errors import Mark, Problem, TraincError
from trainc.source.document import Document
from trainc.source.files import File, find, read
from trainc.source.parse import parse
from trainc.source.reader import PROJECT_FILE
from trainc.source.walk import printable
from trainc.version import __version__

_TEXTS: Final = Path(__file__).parent / "example"
_EXAMPLE: Final = ("jobs/mnist.yaml", "overlays/dev/mnist.yaml", "overlays/prod/mnist.yaml")
_TAKEN: Final = ("overlays", "jobs/mnist.yaml", "jobs/mnist.yml")
_JOBS: Final = "jobs"
_JOB: Final = "mnist"
_READ_ANYWAY: Final = frozenset({"overlays", "runtimes", "templates"})
_SOURCES: Final = f"sources: [{_JOBS}]"
_DEFAULT_ENV: Final = "dev"
_GITIGNORE: Final = ".gitignore"
# What runs the gates -> where it looks for them.
CI: Final = {"github": ".github/workflows/trainc.yaml", "gitlab": ".gitlab-ci.yml"}


class Started(NamedTuple):
    """What was done.

    Attributes:
        written: New files, relative to the folder.
        left: What was there and is left alone, with the reason.
        sources: The folders and files that will be built.
    """

    written: tuple[str, ...]
    left: tuple[str, ...]
    sources: tuple[str, ...]


def start(folder: str, *, bare: bool = False, profile: str = "", ci: str = "") -> Started:
    """Writes what is missing.

    Args:
        folder: Made where it is missing.
        bare: Whether ``trainc.yaml`` is enough, besides what ``ci`` says.
        profile: The tool that will sync the output: ``argocd``, ``flux`` or empty.
        ci: What runs the gates, of ``CI``; empty for none.

    Raises:
        TraincError: The folder cannot be written; nothing is left behind.
    """
    gates, kept = _gates(folder, ci)
    if os.path.lexists(os.path.join(folder, PROJECT_FILE)):
        reasons = [f"{PROJECT_FILE} is there already: this is a project", *kept]
        if profile:
            reasons.append(f"no profile is set: write `profile: {profile}` into {PROJECT_FILE}")
        _write(folder, gates)
        return Started(tuple(sorted(gates)), tuple(reasons), ())
    objects = _own(folder)
    own = sorted({_first(folder, file) for file, _ in objects} - _READ_ANYWAY)
    left = [] if bare else _reasons(folder, objects)
    example = () if bare or left else _EXAMPLE
    sources = tuple(dict.fromkeys([*([_JOBS] if example else []), *own])) or (".",)
    texts = gates | {name: _text(name) for name in example}
    texts[PROJECT_FILE] = _settings(sources, _DEFAULT_ENV if example else "", profile)
    if not bare and not os.path.lexists(os.path.join(folder, _GITIGNORE)):
        texts[_GITIGNORE] = _text("gitignore")
    _write(folder, texts)
    return Started(tuple(sorted(texts)), (*left, *kept), sources)


def _text(name: str) -> str:
    return (_TEXTS / name).read_text(encoding="utf-8")


def _settings(sources: Iterable[str], default_env: str, profile: str) -> str:
    """``trainc.yaml``; a profile brings ``rename``, or a sync fails where a job changed."""
    text = _text(PROJECT_FILE)
    listed = ", ".join(_quoted(source) for source in sources)
    text = text.replace(_SOURCES, f"sources: [{listed}]")
    if default_env:
        text = text.replace("# default_env: ", "default_env: ")
    if profile:
        text = text.replace("# profile: none", f"profile: {profile}")
        text = text.replace("# on_change: keep", "on_change: rename")
    return text


def _gates(folder: str, ci: str) -> tuple[dict[str, str], list[str]]:
    """The file of the gates by its place, and why it is not written."""
    if not ci:
        return {}, []
    place = CI[ci]
    if os.path.lexists(os.path.join(folder, place)):
        return {}, [f"{place} is there already: it is left as it is"]
    text = _text(f"ci/{ci}.yaml").replace("@VERSION@", __version__)
    above = _repository_above(folder)
    left = [f"move {place} to {above}: only there it is read"] if above else []
    return {place: text}, left


def _repository_above(folder: str) -> str:
    """The Git repository that holds the folder; empty where it is one itself, or in none."""
    here = os.path.realpath(folder)
    if os.path.lexists(os.path.join(here, ".git")):
        return ""
    while here != os.path.dirname(here):
        here = os.path.dirname(here)
        if os.path.lexists(os.path.join(here, ".git")):
            return printable(here)
    return ""


def _reasons(folder: str, objects: Iterable[tuple[File, Document]]) -> list[str]:
    """Why the example is not written; empty where it is."""
    there = [name for name in _TAKEN if os.path.lexists(os.path.join(folder, name))]
    there += [
        f"TrainJob {_JOB} of {file.name}"
        for file, document in objects
        if document.kind == names.TRAIN_JOB and document.name == _JOB and file.name not in there
    ]
    return [f"{name} is there already: no example is written" for name in dict.fromkeys(there)]


def _own(folder: str) -> list[tuple[File, Document]]:
    """The TrainJobs and runtimes that stand in the folder."""
    if not os.path.isdir(folder):
        return []
    found, _ = find([folder])
    own = []
    for file in found:
        data = read(file)
        if isinstance(data, bytes) and names.GROUP.encode() in data:
            documents, _ = parse(data, file.name)
            group = f"{names.GROUP}/"
            own += [(file, each) for each in documents if each.api_version.startswith(group)]
    return own


def _first(folder: str, file: File) -> str:
    """The first name of a file's path below the folder."""
    return os.path.relpath(file.path, os.path.realpath(folder)).split(os.sep)[0]


def _quoted(name: str) -> str:
    plain = name.replace("-", "").replace("_", "").replace(".", "").isalnum() and name[0].isalpha()
    return (
        name
        if plain and name.isascii()
        else '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
    )


def _write(folder: str, texts: dict[str, str]) -> None:
    """Writes new files, all or none."""
    made: list[str] = []
    try:
        for name, text in sorted(texts.items()):
            place = os.path.join(folder, name)
            _make(os.path.dirname(place) or ".", made)
            made.append(place)
            with open(place, "x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except BaseException as error:
        if isinstance(error, FileExistsError):
            made.pop()  # somebody else was faster
        _remove(made)
        if not isinstance(error, OSError):
            raise
        place = printable(str(error.filename or folder))
        problem = Problem(f"cannot write: {error.strerror or error}", codes.UNWRITABLE, Mark(place))
        raise TraincError([problem]) from error


def _make(folder: str, made: list[str]) -> None:
    """Makes a folder and those above it."""
    if not os.path.isdir(folder):
        _make(os.path.dirname(folder) or ".", made)
        os.mkdir(folder)
        made.append(folder)


def _remove(made: Iterable[str]) -> None:
    for place in reversed(list(made)):
        with suppress(OSError):
            if os.path.isdir(place):
                os.rmdir(place)
            else:
                os.unlink(place)
