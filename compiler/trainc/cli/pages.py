"""The commands as pages: ``python -m trainc.cli.pages docs/commands`` writes one for each.

In: a folder. Out: ``COMMAND.md`` with what ``trainc COMMAND --help`` says, and that of the commands
below it; a ``README.md`` that lists them. What is no longer a command loses its page.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from trainc.cli.run import trainc

_WIDTH = 100
_MADE = "<!-- made by `make golden` from the commands' own help -->\n"
_INDEX = "README.md"


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    root = click.Context(trainc, info_name="trainc", terminal_width=_WIDTH)
    found = {name: _command(root, name) for name in trainc.list_commands(root)}
    texts = {f"{name}.md": _page(command, root, name) for name, command in found.items()}
    lines = [
        f"- [`trainc {name}`]({name}.md): {command.get_short_help_str(_WIDTH)}\n"
        for name, command in found.items()
    ]
    return {_INDEX: f"{_MADE}\n# Commands\n\n{''.join(lines)}", **texts}


def _command(above: click.Context, name: str) -> click.Command:
    group = above.command
    command = group.get_command(above, name) if isinstance(group, click.Group) else None
    if command is None:
        raise LookupError(f"no command is called {name}")
    return command


def _page(command: click.Command, above: click.Context, name: str) -> str:
    sections = "\n".join(_sections(command, above, name, "#"))
    return f"{_MADE}\n{sections}\n[All commands]({_INDEX})\n"


def _sections(command: click.Command, above: click.Context, name: str, level: str) -> Iterator[str]:
    """A command's help, then that of each command below it."""
    context = click.Context(
        command,
        info_name=name,
        parent=above,
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    yield "\n".join([f"{level} {context.command_path}", "", "```text", *lines, "```", ""])
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _sections(_command(context, below), context, below, f"{level}#")


def write(folder: Path) -> None:
    """Makes the folder hold these pages and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
