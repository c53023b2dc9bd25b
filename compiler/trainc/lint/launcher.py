"""Which launchers a container's command calls, and the flags it gives them.

In: a container. Out: its ``Call``s, each with the launcher's name, its flags and the place of each
flag. Scripts of ``sh -c`` are read as far as a list of simple commands goes; what cannot be read is
no call. Only what stands in the file counts: a flag whose value is a variable has no number.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from trainc.info.podset import Container

Place = tuple[str, int]
"""``command`` or ``args``, and the index of the word."""

SHELLS: Final = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_PYTHON: Final = re.compile(r"python(?:\d(?:\.\d+)?)?")
_MODULES: Final = {
    "accelerate.commands.launch": "accelerate",
    "deepspeed": "deepspeed",
    "deepspeed.launcher.runner": "deepspeed",
    "torch.distributed.launch": "torchrun",
    "torch.distributed.run": "torchrun",
}
_PROGRAMS: Final = {
    "accelerate": "accelerate",
    "accelerate-launch": "accelerate",
    "deepspeed": "deepspeed",
    "horovodrun": "horovodrun",
    "llamafactory-cli": "llamafactory",
    "mpiexec": "mpirun",
    "mpirun": "mpirun",
    "orterun": "mpirun",
    "prterun": "mpirun",
    "torchrun": "torchrun",
}
# What runs another program; its own options may stand between.
_WRAPPERS: Final = frozenset({
    "conda", "dumb-init", "env", "exec", "micromamba", "ncu", "nice", "nohup", "nsys", "numactl",
    "pixi", "poetry", "stdbuf", "sudo", "time", "timeout", "tini", "uv",
})  # fmt: skip
_KEYWORDS: Final = frozenset({"!", "do", "else", "if", "then", "until", "while", "{"})
# Options that stand alone, by launcher; all others take a value.
_ALONE: Final = {
    "torchrun": frozenset({"standalone", "no_python", "run_path", "m", "module", "use_env"}),
    "mpirun": frozenset({
        "allow_run_as_root", "oversubscribe", "nooversubscribe", "tag_output", "v", "verbose", "q",
        "display_map", "display_allocation", "do_not_launch", "report_bindings", "timestamp_output",
        "show_progress", "pernode", "bycore", "byslot", "bynode", "nolocal", "bind_to_core",
        "bind_to_socket", "bind_to_none", "enable_recovery", "d", "help", "l",
    }),
}  # fmt: skip
_TWO: Final = frozenset({"mca", "gmca", "omca", "prtemca", "pmixmca", "env", "genv"})


class Flag(NamedTuple):
    """A flag of a launcher: its name without dashes, ``_`` for ``-``; its value; its place."""

    name: str
    value: str
    place: Place

    @property
    def number(self) -> int | None:
        """The value as a number; None where it is a variable or a word."""
        return int(self.value) if re.fullmatch(r"\d{1,9}", self.value) else None


class Call(NamedTuple):
    """One program that a command starts.

    Attributes:
        program: ``torchrun``, ``accelerate``, ``deepspeed``, ``horovodrun``, ``llamafactory``,
            ``mpirun``, ``python``, or the word itself where it is another; empty where a wrapper
            hides it.
        flags: What stands between the launcher and the program it launches.
        words: All words after the launcher.
        place: Of the launcher's word.
    """

    program: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    place: Place

    def flag(self, *names: str) -> Flag | None:
        """The last flag of one of these names, which is the one that counts; None for none."""
        return next((flag for flag in reversed(self.flags) if flag.name in names), None)


def text(container: Container) -> str:
    """Command, arguments and values of variables as one text, without what torch sets itself."""
    items = (item for item in container.env if not item["name"].startswith("PET_"))
    env = [str(item.get("value") or "") for item in items]
    return "\n".join((*(container.command or ()), *(container.args or ()), *env))


def calls(container: Container) -> tuple[Call, ...]:
    """The programs that a container's command starts, in order."""
    return _of_words(container.command or (), container.args or ())


@lru_cache(1024)  # many jobs run the same words, and two lints ask
def _of_words(command: tuple[str, ...], args: tuple[str, ...]) -> tuple[Call, ...]:
    words: list[tuple[str, Place]] = [
        *((word, ("command", n)) for n, word in enumerate(command)),
        *((word, ("args", n)) for n, word in enumerate(args)),
    ]
    script = _script(words)
    if script is None:
        return tuple(_calls(words))
    return tuple(call for words in _commands(*script) for call in _calls(words))


def _script(words: Sequence[tuple[str, Place]]) -> tuple[str, Place] | None:
    """The script of ``sh -c``, None for another command."""
    plain = [word for word, _ in words]
    start = next((n for n, word in enumerate(plain[:4]) if _base(word) in SHELLS), None)
    if start is None:
        return None
    for number in range(start + 1, len(words) - 1):
        if re.fullmatch(r"-[a-z]*c[a-z]*", plain[number]):
            return words[number + 1]
        if not plain[number].startswith(("-", "+")):
            return None
    return None


def _commands(script: str, place: Place) -> Iterator[list[tuple[str, Place]]]:
    """The simple commands of a script; none where its quotes do not close."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars=";&|\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[tuple[str, Place]] = []
    comment = False
    try:
        tokens = [*lexer]
    except ValueError:
        return
    for token in tokens:
        comment = (comment or token.startswith("#")) and "\n" not in token
        if comment:
            continue
        if token and not token.strip(";&|\n"):
            yield words
            words = []
        elif words or token not in _KEYWORDS:
            words.append((token, place))
    yield words


def _calls(words: Sequence[tuple[str, Place]]) -> Iterator[Call]:
    """The program of one simple command; of ``mpirun``'s own ``:`` lists, each part."""
    start = _start(words)
    if start is None:
        return
    program, first = start
    if program != "mpirun":
        yield _call(program, words[first - 1][1], words[first:])
        return
    part: list[tuple[str, Place]] = []
    for word in words[first:]:
        if word[0] == ":":
            yield _call(program, words[first - 1][1], part)
            part = []
        else:
            part.append(word)
    yield _call(program, words[first - 1][1], part)


def _start(words: Sequence[tuple[str, Place]]) -> tuple[str, int] | None:
    """The program, and the index of the first word after it."""
    wrapped = False
    for index, (word, _) in enumerate(words):
        base = _base(word)
        if base in _PROGRAMS:
            return _PROGRAMS[base], index + 1
        if _PYTHON.fullmatch(base):
            return _of_python(words, index)
        if base in _WRAPPERS:
            wrapped = True
        elif not wrapped and not re.match(r"\w+=", word):
            return base, index + 1
    return ("", len(words)) if wrapped else None


def _of_python(words: Sequence[tuple[str, Place]], index: int) -> tuple[str, int]:
    """A module that is a launcher, or python itself."""
    for number in range(index + 1, len(words) - 1):
        word = words[number][0]
        if word == "-m":
            module = _MODULES.get(words[number + 1][0])
            return (module, number + 2) if module else ("python", index + 1)
        if not word.startswith("-"):
            break
    return "python", index + 1


def _call(program: str, place: Place, words: Sequence[tuple[str, Place]]) -> Call:
    plain = tuple(word for word, _ in words)
    return Call(program, tuple(_flags(program, words)), plain, place)


def _flags(program: str, words: Sequence[tuple[str, Place]]) -> Iterator[Flag]:
    """The launcher's own flags: those before the program that it launches."""
    alone = _ALONE.get(program)
    index = 0
    if program == "accelerate" and words and words[0][0] == "launch":
        index = 1
    while index < len(words):
        word, place = words[index]
        if not word.startswith("-") or word in ("-m", "--module"):
            return
        name, equals, value = word.lstrip("-").partition("=")
        name = name.replace("-", "_")
        after = words[index + 1][0] if index + 1 < len(words) else ""
        if equals:
            step = 1
        elif name in _TWO:
            value, step = after, 3
        elif (alone is None and not _is_value(after)) or (alone and name in alone):
            step = 1
        else:
            value, step = after, 2
        yield Flag(name, value, place)
        index += step


def _is_value(word: str) -> bool:
    """Whether a word may belong to the flag before it, where nobody knows the flag."""
    return bool(word) and not word.startswith("-") and not word.endswith(".py")


def _base(word: str) -> str:
    return word.rpartition("/")[2]
