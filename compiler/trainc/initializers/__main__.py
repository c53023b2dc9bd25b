"""``python -m trainc.initializers dataset|model``, and the console script ``trainc-initializer``.

In: one word and the environment. Out: the exit code.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from trainc.initializers.run import run
from trainc.names import EXIT_CONFIGURATION
from trainc.version import __version__

_USAGE = """usage: trainc-initializer dataset|model

Fetches what STORAGE_URI names to /workspace/dataset or /workspace/model.
"""


def main() -> NoReturn:
    """Runs one initializer with the process's arguments and environment, and exits."""
    words = sys.argv[1:]
    if words == ["--version"]:
        sys.stdout.write(f"trainc-initializer {__version__}\n")
        sys.exit(0)
    if words == ["dataset"]:
        code = run("dataset", os.environ)
    elif words == ["model"]:
        code = run("model", os.environ)
    else:
        sys.stderr.write(_USAGE)
        code = 0 if words in (["-h"], ["--help"]) else EXIT_CONFIGURATION
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a thread that waits for a silent server must not be waited for.
    os._exit(code)


if __name__ == "__main__":
    main()
