"""The page that newcomers read first: its job builds, and its errors are the ones they will see."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.gitops.repository import trainc
from trainc import build

PAGE = Path(__file__).parents[1] / "docs" / "getting-started.md"


def errors_of(text: str, folder: Path) -> list[str]:
    (folder / "mnist.yaml").write_text(text, encoding="utf-8")
    return [str(problem).splitlines()[0] for problem in build(folder).problems]


def test_page_tells_the_truth(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (job,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shown = re.findall(r"^(mnist\.yaml:.*)$", page, re.MULTILINE)
    assert errors_of(job, tmp_path) == []
    tight = job.replace("limits: {memory: 32Gi", "limits: {memory: 16Gi")
    both = tight.replace("numNodes: 2", "numNodes: three")
    assert [errors_of(both, tmp_path), errors_of(tight, tmp_path)] == [[line] for line in shown]


def test_page_names_the_variables_that_are_set(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (job,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mnist.yaml").write_text(job, encoding="utf-8")
    (jobset,) = build(tmp_path).objects
    node = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]["containers"]
    set_here = {f"{item['name']}={item.get('value')}" for item in node[0]["env"]}
    assert set(re.findall(r"`?(PET_\w+=[\w.-]+)", page)) <= set_here


def test_page_applies_objects_alone(tmp_path: Path) -> None:
    """kubectl takes every .json and .yaml below the folder for an object, hidden or not."""
    page = PAGE.read_text(encoding="utf-8")
    (job,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "mnist.yaml").write_text(job, encoding="utf-8")
    assert trainc(tmp_path, "build", "--out-dir", "out", "jobs").returncode == 0
    (folder,) = re.findall(r"kubectl apply -R -f (\S+)", page)
    files = [each for each in (tmp_path / folder).rglob("*") if each.suffix in (".json", ".yaml")]
    assert files
    assert all("kind" in yaml.safe_load(each.read_text(encoding="utf-8")) for each in files)


def test_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    """The project of the page, made by the commands of the page, in their order."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("## A project with environments")[2].partition("## From here")[0]
    blocks = "".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL))
    folder, status, commands = tmp_path, 0, 0
    for shown in re.findall(r"^\$ (.*\n(?:(?!\$ ).*\n)*)", blocks, re.MULTILINE):
        command, _, want = shown.partition("\n")
        program, *args = command.split()
        if program == "cd":
            folder = folder / args[0]
        elif program == "echo":
            assert want == f"{status}\n"
        elif program == "find":
            files = (path.relative_to(folder) for path in (folder / args[0]).rglob("*.yaml"))
            assert sorted(want.splitlines()) == sorted(str(path) for path in files)
        else:
            done = trainc(folder, *(args[: args.index(">")] if ">" in args else args))
            status, commands = done.returncode, commands + 1
            assert want == (done.stderr if ">" in args else done.stdout + done.stderr), command
    assert commands == 5
