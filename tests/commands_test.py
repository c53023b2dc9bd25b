"""The pages of the commands say what the commands say."""

from pathlib import Path

import pytest

from trainc.cli import COMMANDS
from trainc.cli.pages import pages, write

FOLDER = Path(__file__).parents[1] / "docs/commands"


def test_every_command_has_a_page_and_no_other_page_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"README.md"} | {
        f"{name}.md" for name in COMMANDS
    }


@pytest.mark.parametrize("name", ["README", *sorted(COMMANDS)])
def test_a_page_is_the_help_of_its_command(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert text == pages()[f"{name}.md"], f"docs/commands/{name}.md is stale: run 'make golden'"


def test_the_page_of_a_group_has_its_commands() -> None:
    assert "## trainc set image" in pages()["set.md"]
    assert "--dry-run" in pages()["set.md"]


def test_the_page_of_a_command_that_is_gone_goes(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("")
    write(tmp_path)
    assert not (tmp_path / "old.md").exists()
    assert (tmp_path / "build.md").exists()
