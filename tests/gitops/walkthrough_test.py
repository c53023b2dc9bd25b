"""docs/gitops.md: its commands, as far as they need no cluster, do what the page says."""

import re
import subprocess
from pathlib import Path

from tests.gitops.repository import trainc

PAGE = Path(__file__).parents[2] / "docs" / "gitops.md"
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def commands(step: str) -> list[tuple[list[str], str]]:
    """The trainc commands of one step of the page, each with what is shown under it."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {step}")[2].partition("\n## ")[0]
    blocks = "".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL))
    found = re.findall(r"^\$ trainc (.*)\n((?:(?!\$ ).*\n)*)", blocks, re.MULTILINE)
    return [(line.split(), shown) for line, shown in found]


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    settings = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (init, shown), *silent = commands("1.")
    assert trainc(tmp_path, *init).stdout == shown
    with (tmp_path / "trainc.yaml").open("a", encoding="utf-8") as file:
        file.write(settings)
    for args, _ in silent:
        done = trainc(tmp_path, *args)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), args
    for line in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"]):
        subprocess.run([*GIT, *line], cwd=tmp_path, check=True)
    change, build, diff = [args for args, _ in commands("5.")][:3]
    assert trainc(tmp_path, *change).returncode == 0
    assert trainc(tmp_path, *build).returncode == 0
    told = trainc(tmp_path, *diff)
    assert told.returncode == 1
    assert "2 to prune, 2 to create; 1 running job would be stopped" in told.stdout
    (name,) = set(re.findall(r"created, in place of (?:mnist-[0-9a-f]{8})", told.stdout))
    assert name
    (logs,) = [args for args, _ in commands("5.") if args[0] == "logs"]
    assert f"JobSet training/{logs[1]}: created" in told.stdout
    assert {step[0][0] for step in silent} == {"validate", "build", "check"}


def test_the_gates_of_the_page_hold(tmp_path: Path) -> None:
    trainc(tmp_path, "init", ".")
    trainc(tmp_path, "build", "--out-dir", "out")
    validate, check = [args for args, _ in commands("2.")][:2]
    assert trainc(tmp_path, *validate).returncode == 0
    assert (tmp_path / "problems.sarif").is_file()
    assert trainc(tmp_path, *check).returncode == 0
