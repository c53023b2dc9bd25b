"""The pages of the commands say what the commands say."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainc.cli import COMMANDS

FOLDER = Path(__file__).parents[1] / "docs/commands"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as a process of their own writes them: click remembers who asked for help first."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "old.md").write_text("")
    subprocess.run([sys.executable, "-m", "trainc.cli.pages", folder], check=True)
    return folder


def test_every_command_has_a_page_and_no_other_page_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"README.md"} | {
        f"{name}.md" for name in COMMANDS
    }


@pytest.mark.parametrize("name", ["README", *sorted(COMMANDS)])
def test_a_page_is_the_help_of_its_command(name: str, written: Path) -> None:
    now = (written / f"{name}.md").read_text(encoding="utf-8")
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert text == now, f"docs/commands/{name}.md is stale: run 'make golden'"


def test_the_page_of_a_group_has_its_commands(written: Path) -> None:
    text = (written / "set.md").read_text(encoding="utf-8")
    assert "## trainc set image" in text
    assert "--dry-run" in text


def test_the_page_of_a_command_that_is_gone_goes(written: Path) -> None:
    assert not (written / "old.md").exists()
    assert (written / "build.md").exists()
