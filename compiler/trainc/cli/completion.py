"""``trainc completion SHELL``: the script that lets a shell complete trainc's commands."""

import click

from trainc.cli.options import reporting

_HELP = """
Prints the script that completes trainc's commands and options in SHELL.

\b
Bash, in ~/.bashrc:
  eval "$(trainc completion bash)"
Zsh, in ~/.zshrc:
  eval "$(trainc completion zsh)"
Fish:
  trainc completion fish > ~/.config/fish/completions/trainc.fish
"""


@click.command(help=_HELP, short_help="Print the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@reporting
def completion(shell: str) -> None:
    """Prints the script of one shell."""
    from click.shell_completion import get_completion_class

    from trainc.cli.run import trainc

    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(completer(trainc, {}, "trainc", "_TRAINC_COMPLETE").source())
