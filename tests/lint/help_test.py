"""Every code has its page, and the command prints it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainc import codes
from trainc.kube.pod import CHECKS
from trainc.lint.explanation import EXPLANATIONS, FIXED, UNSPARED, page
from trainc.lint.lint import discover
from trainc.lint.refusals import REFUSALS, is_refusal
from trainc.lint.refusals import page as any_page
from trainc.spec.quirks import QUIRKS

# Told by the compiler itself, not by a lint.
COMPILER = UNSPARED | FIXED


def test_every_code_has_a_page() -> None:
    assert {lint.code for lint in discover()} | COMPILER == set(EXPLANATIONS)


@pytest.mark.parametrize(("args", "status", "says"), [
    (("TRC101",), 0, "bad:"), (("trc406",), 0, "Kueue"), ((), 0, "TRC408  "),
    (("TRC010",), 0, "numNodes: 2"), (("env",), 0, "environment variables"),
    (("ports",), 0, "v2.3.0"), ((), 0, "TRC001  "), ((), 0, "volume  "),
    (("TRC999",), 2, "no code is called"), (("env", "x"), 2, "no code is called"),
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


CODES = {name: value for name, value in vars(codes).items() if name.isupper()}


def test_every_code_of_a_refusal_is_used_once_and_explained() -> None:
    assert len({*CODES.values()}) == len(CODES)
    assert {*CODES.values()} == {*REFUSALS}
    sources = (Path(__file__).parents[2] / "compiler" / "trainc").rglob("*.py")
    text = "".join(file.read_text() for file in sources if not file.name.endswith("_test.py"))
    unused = [name for name in CODES if text.count(f"codes.{name}") < 2]  # the page is one
    assert not unused


def test_every_word_in_brackets_has_one_page() -> None:
    words = [*REFUSALS, *EXPLANATIONS, *CHECKS, *QUIRKS]
    assert len({*words}) == len(words)
    assert all(any_page(word) for word in words)
    assert any_page("trc001") == any_page("TRC001")
    assert any_page("no-such-word") is None


@pytest.mark.parametrize("code", [*REFUSALS, *CHECKS, *QUIRKS])
def test_no_comment_takes_a_refusal_away(code: str) -> None:
    assert is_refusal(code)
    assert "ignore[" not in (any_page(code) or "")


@pytest.mark.parametrize("code", REFUSALS)
def test_the_docs_hold_every_refusal(code: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    known = REFUSALS[code]
    example = f"- bad: `{known.bad}`\n- good: `{known.good}`\n\n" if known.bad else ""
    assert f"## {code}\n\n{known.why}\n\n{example}" in text


@pytest.mark.parametrize("code", CHECKS)
def test_the_docs_hold_every_check(code: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert f"| `{code}` | {CHECKS[code]} |\n" in text
