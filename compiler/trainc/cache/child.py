"""How the cache's processes start one another: with modules from the installation alone.

``python -m`` looks for modules in the current folder first, which may be anybody's: there a
``pyarrow.py`` would run in place of the library. ``-P`` leaves that folder out.
"""

import sys


def module_command(module: str, *args: str) -> list[str]:
    """The command line that runs a module of ours."""
    return [sys.executable, "-P", "-m", module, *args]
