"""``trainc help CODE``: what a finding means. In: a code. Out: its page on stdout."""

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out


@click.command("help", short_help="Explain a code such as TRC101.")
@click.argument("code", required=False, metavar="[CODE]")
@reporting
def help_(code: str | None) -> None:
    """Explains a code with a bad and a good example; without one, lists all codes."""
    from trainc.lint.explanation import EXPLANATIONS, page

    if code is None:
        write_out(f"{name}  {known.why}\n" for name, known in EXPLANATIONS.items())
    elif code.upper() in EXPLANATIONS:
        write_out([page(code.upper())])
    else:
        raise click.UsageError(f"no code is called {code!r}; 'trainc help' lists all")
