"""A command line, split into what changes the answer and what only says how it is told.

In: raw arguments. Out: an ``Asked``, or None for a command whose answer is never kept. What is not
known here stays among the words that count, so a new option can cost a hit and never a wrong one.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMANDS = frozenset({"build", "check", "validate"})
# Options without a value among the words that count.
FLAGS = frozenset({"--allow-empty", "--allow-ttl", "--no-comments", "--shared", "--whole-project"})
# Options that say how problems are told -> the values there are, None for any.
_TELLING = {
    "--problems": frozenset({"text", "json", "sarif", "github", "junit"}),
    "--fail-on": frozenset({"error", "warning", "note"}),
    "--problems-file": None,
}
# Where the answer is more than the files: read from a pipe, made afresh, told on the way.
_NEVER = frozenset(
    {"-", "--", "-h", "--help", "--compat", "--no-cache", "--secrets", "-v", "--verbose"}
)


class Asked:
    """What a command line asks for.

    Attributes:
        command: ``build``, ``check`` or ``validate``.
        words: The arguments that count, as they were written.
        out_dir: Value of ``--out-dir``, None where it is not given.
        quiet: Whether only errors are told.
        telling: Whether an option says how problems are told.
    """

    __slots__ = ("command", "out_dir", "quiet", "telling", "words")

    def __init__(self, command: str) -> None:
        """Begins with no arguments."""
        self.command = command
        self.words: list[str] = []
        self.out_dir: str | None = None
        self.quiet = False
        self.telling = False


def asked(args: Sequence[str]) -> Asked | None:
    """What the arguments ask for; None where they, or the command, are never answered from disk."""
    if not args or args[0] not in _COMMANDS:
        return None
    found = Asked(args[0])
    words = iter(args[1:])
    for word in words:
        name, equals, value = word.partition("=")
        if name in _NEVER or (word.startswith("-v") and not word.startswith("--")):
            return None
        if word in ("-q", "--quiet"):
            found.quiet = True
        elif name == "--out-dir" or name in _TELLING:
            value = value if equals else next(words, "")
            if not _taken(found, name, value):
                return None
        else:
            _keep(found, word, words)
    if found.command == "build" and found.out_dir is None:
        return None  # a pipe's answer is small and read at once
    return found


def _taken(found: Asked, name: str, value: str) -> bool:
    """Notes an option that does not count; False where its value is none."""
    if name == "--out-dir":
        found.out_dir = value
        return found.command != "validate" and value != ""
    known = _TELLING[name]
    found.telling = True
    return value in known if known is not None else value != ""


def _keep(found: Asked, word: str, words: Iterator[str]) -> None:
    """Keeps a word, and behind an option its value, whatever that looks like."""
    found.words.append(word)
    if word.startswith("-") and "=" not in word and word not in FLAGS:
        found.words.extend(value for value in (next(words, None),) if value is not None)
