"""Every code has its page, and the command prints it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainc.lint.explanation import EXPLANATIONS, FIXED, UNSPARED, page
from trainc.lint.lint import discover

# Told by the compiler itself, not by a lint.
COMPILER = UNSPARED | FIXED


def test_every_code_has_a_page() -> None:
    assert {lint.code for lint in discover()} | COMPILER == set(EXPLANATIONS)


@pytest.mark.parametrize(("args", "status", "says"), [
    (("TRC101",), 0, "bad:"), (("trc406",), 0, "Kueue"), ((), 0, "TRC408  "),
    (("TRC999",), 2, "no code is called"),
])  # fmt: skip
def test_help_explains(args: tuple[str, ...], status: int, says: str) -> None:
    done = subprocess.run([sys.executable, "-m", "trainc", "help", *args],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == status
    assert says in done.stdout + done.stderr


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_the_docs_hold_every_page(code: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    known = EXPLANATIONS[code]
    want = f"## {code}\n\n{known.why}\n\n- bad: `{known.bad}`\n- good: `{known.good}`\n"
    assert want in text


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_a_page_offers_only_what_works(code: str) -> None:
    text = page(code)
    assert ("ignore[" in text) is (code not in UNSPARED)
    assert ("Always an error" in text) is (code in UNSPARED)
    assert ("rules: {" in text) is (code not in COMPILER)
