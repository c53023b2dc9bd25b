"""The programs that commands start, and the flags that are the launchers' own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.info.podset import container
from trainc.lint.launcher import calls


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    command: list[str]
    want: list[str]  # PROGRAM FLAG=VALUE@INDEX ...


def sh(script: str, *options: str) -> list[str]:
    return ["/bin/bash", *(options or ("-c",)), script]


CASES = [
    TestCase(
        "torchrun",
        ["torchrun", "--nnodes=2", "--standalone", "t.py", "--lr=1"],
        ["torchrun nnodes=2@1 standalone=@2"],
    ),
    TestCase(
        "values of their own",
        ["torchrun", "--nproc-per-node", "8", "-m", "a"],
        ["torchrun nproc_per_node=8@1"],
    ),
    TestCase(
        "accelerate",
        ["accelerate", "launch", "--multi_gpu", "--num_machines", "2", "t.py"],
        ["accelerate multi_gpu=@2 num_machines=2@3"],
    ),
    TestCase(
        "modules",
        ["python", "-u", "-m", "torch.distributed.launch", "--nnodes", "2", "t"],
        ["torchrun nnodes=2@4"],
    ),
    TestCase("another module", ["python3.12", "-m", "acme.train"], ["python"]),
    TestCase(
        "parts",
        ["mpirun", "-np", "1", "--mca", "a", "b", "-x", "V", "p", ":", "-n", "2", "q"],
        ["mpirun np=1@1 mca=a@3 x=V@6", "mpirun n=2@10"],
    ),
    TestCase(
        "wrappers", ["tini", "--", "env", "A=b", "uv", "run", "torchrun", "t.py"], ["torchrun"]
    ),
    TestCase("a hidden program", ["env", "A=b", "./run.sh"], [""]),
    TestCase("another program", ["/app/run.sh", "torchrun"], ["run.sh"]),
    TestCase(
        "a script",
        sh("set -ex; A=1 torchrun --nnodes 2 t.py | tee log"),
        ["set ex=@2", "torchrun nnodes=2@2", "tee"],
    ),
    TestCase("options of the shell", sh("torchrun t.py", "-euo", "-c"), ["torchrun"]),
    TestCase(
        "lines",
        sh("# first\ncd /app # there; not here\ntorchrun \\\n  --nnodes=2 \\\n  t.py\n"),
        ["cd", "torchrun nnodes=2@2"],
    ),
    TestCase(
        "keywords",
        sh("if true; then torchrun t.py; else python t.py; fi"),
        ["true", "torchrun", "python", "fi"],
    ),
    TestCase("quotes that do not close", sh("torchrun 't.py"), []),
    TestCase("a script in a file", ["bash", "run.sh", "-c"], ["bash"]),
    TestCase("nothing", [], []),
    TestCase("an option alone", ["mpirun", "-np"], ["mpirun np=@1"]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_calls(case: TestCase) -> None:
    shown = [
        " ".join([call.program, *(f"{f.name}={f.value}@{f.place[1]}" for f in call.flags)])
        for call in calls(container({"name": "node", "command": case.command}))
    ]
    assert shown == case.want


def test_words_of_args_follow_those_of_the_command() -> None:
    node = container({"name": "node", "command": ["torchrun"], "args": ["--nnodes=2", "t.py"]})
    (call,) = calls(node)
    assert call.flags[0].place == ("args", 0)
    assert call.flags[0].number == 2
