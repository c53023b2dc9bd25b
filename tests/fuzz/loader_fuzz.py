"""Feeds the loader what a coverage-guided fuzzer makes up.

    python tests/fuzz/loader_fuzz.py -max_total_time=60 tests/fuzz/corpus

Options are libFuzzer's. New inputs go to ``build/fuzz/``, so that the committed corpus stays small;
what breaks the loader is written to ``build/`` and becomes a unit test once it is mended. To make
the corpus again: ``-merge=1 tests/fuzz/corpus build/fuzz``.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

with atheris.instrument_imports(include=["trainc.source"]):
    from tests.fuzz.invariants import check

BUILD = Path("build")
FOUND = BUILD / "fuzz"


def options(given: list[str]) -> list[str]:
    """The command line for libFuzzer: our defaults, what was given, where new inputs go."""
    defaults = {
        "-dict": str(HERE / "yaml.dict"),
        "-timeout": "10",
        "-max_len": "4096",
        "-artifact_prefix": f"{BUILD}/",
    }
    flags = [one for one in given if one.startswith("-")]
    folders = [one for one in given if not one.startswith("-")]
    if "-merge=1" not in flags:
        folders.insert(0, str(FOUND))
    chosen = {flag.partition("=")[0] for flag in flags}
    defaulted = [f"{name}={value}" for name, value in defaults.items() if name not in chosen]
    return [*defaulted, *flags, *folders]


def main() -> None:
    """Runs the fuzzer; ends the process with its verdict."""
    FOUND.mkdir(parents=True, exist_ok=True)
    # libFuzzer starts itself again to merge.
    atheris.Setup([f"{sys.executable} {sys.argv[0]}", *options(sys.argv[1:])], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
