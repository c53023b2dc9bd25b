"""``trainc help CODE``: what a finding means; ``trainc help COMMAND``: how a command is used.

In: a code, or the words of a command. Out: its page on stdout.
"""

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out


@click.command("help", short_help="Explain a code such as TRC101, or a command.")
@click.argument("words", nargs=-1, metavar="[CODE|COMMAND]")
@reporting
@click.pass_context
def help_(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explains a code with a bad and a good example, or a command; alone, lists all codes."""
    from trainc.lint.refusals import listed, page

    code = words[0] if words else None
    command = _command(ctx, words)
    if command is not None:
        write_out([command.get_help() + "\n"])
    elif code is None:
        write_out(f"{name}  {why}\n" for name, why in listed())
    elif len(words) == 1 and (text := page(code)) is not None:
        write_out([text])
    else:
        raise click.UsageError(
            f"no code is called {code!r}, nor a command; 'trainc help' lists the codes, "
            "'trainc --help' the commands"
        )


def _command(ctx: click.Context, words: tuple[str, ...]) -> click.Context | None:
    """The context of the command that the words name; None where they name none."""
    found = ctx.parent if words else None
    for word in words:
        group = found.command if found is not None else None
        command = (
            group.get_command(found, word) if isinstance(group, click.Group) and found else None
        )
        found = None if command is None else click.Context(command, found, word)
    return found
