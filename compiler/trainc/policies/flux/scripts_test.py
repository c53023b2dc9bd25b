"""The two scripts, run by bash in a scratch root with stand-ins for flux, hostname and id."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.policies.flux.scripts import Cluster, scripts

CLUSTER = Cluster(
    name="m", namespace="team", subdomain="ring", host_prefix="m-node-0-", nodes=3, tasks=2,
    gpus=4, gpus_per_task=2, device="eth0", queue="fcfs", keep_words=False, mask_exit=False,
)  # fmt: skip

# Notes its arguments, one line each; runs what follows "flux run FLAGS" as flux would.
FLUX = """\
#!/bin/bash
printf '%s\\n' "$@" >>"$LOG"
echo -- >>"$LOG"
case $1 in
  R) echo '{"version": 1}'; exit 0 ;;
  broker) exit "${BROKER_EXIT:-0}" ;;
esac
while [ "$#" -gt 0 ] && [ "$1 $2" != "flux run" ]; do shift; done
[ "$#" -eq 0 ] && exit 0
shift 2
while [ "${1#-}" != "$1" ]; do shift 2; done
exec "$@"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A scratch root: the view, the shared key, and stand-in programs first on PATH."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    view = tmp_path / "opt/views/._view/abc"
    (view / "lib/python3.11").mkdir(parents=True)
    (view / "bin").mkdir()
    (tmp_path / "opt/software").mkdir()
    (tmp_path / "opt/software/tool").write_text("x")
    (tmp_path / "curve").mkdir()
    (tmp_path / "curve/curve.cert").write_text("secret")
    program(tmp_path, "flux", FLUX)
    program(tmp_path, "hostname", '#!/bin/bash\necho "$HOST"\n')
    program(tmp_path, "sleep", "#!/bin/bash\nexit 0\n")
    return tmp_path


def program(root: Path, name: str, text: str) -> None:
    path = root / "stand-ins" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(
    root: Path, name: str, *args: str, cluster: Cluster = CLUSTER, host: str = "m-node-0-0",
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Runs a script with every absolute path moved below the scratch root."""
    text = scripts(cluster)[name]
    for path in ("/mnt/flux", "/opt/", "/tmp/fluxout"):
        text = text.replace(path, f"{root}{path}")
    text = text.replace(" /curve/", f" {root}/curve/")
    script = root / name
    script.write_text(text)
    env = {
        "PATH": f"{root}/stand-ins:{os.environ['PATH']}",
        "LOG": str(root / "log"),
        "HOST": host,
    }
    command = ["bash", str(script), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def started(root: Path, *args: str, cluster: Cluster = CLUSTER, host: str = "m-node-0-0") -> int:
    """The exit code of the entry point after init.sh has run."""
    assert run(root, "init.sh", cluster=cluster).returncode == 0
    return run(root, "entrypoint.sh", *args, cluster=cluster, host=host).returncode


def calls(root: Path) -> list[list[str]]:
    """The arguments of each call of flux."""
    text = (root / "log").read_text()
    return [call.strip("\n").split("\n") for call in text.split("--\n") if call]


def tree(root: Path) -> dict[str, bytes]:
    """Every file below /mnt/flux with its content."""
    files = (path for path in (root / "mnt/flux").rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


@pytest.mark.parametrize("code", [0, 1, 42])
def test_the_lead_ends_as_its_command_does(root: Path, code: int) -> None:
    assert started(root, "bash", "-c", f"exit {code}") == code
    assert (root / "mnt/flux/flux-operator-complete.txt").exists()


def test_under_compat_the_lead_always_ends_well(root: Path) -> None:
    cluster = CLUSTER._replace(mask_exit=True, keep_words=True)
    assert started(root, "false", cluster=cluster) == 0


@pytest.mark.parametrize(
    "argument",
    [
        "two words",
        "",
        "it's",
        'a "b"',
        "$HOME",
        "`id`",
        "*",
        "a;b",
        "back\\slash",
        "-n",
        "é",
        "a\tb",
    ],
)
def test_an_argument_arrives_as_it_was_written(root: Path, argument: str) -> None:
    out = root / "out"
    code = started(root, "python3", "-c", f"import sys; open({str(out)!r}, 'w').write(sys.argv[1])",
                   argument)  # fmt: skip
    assert code == 0
    assert out.read_text() == argument


def test_the_lead_asks_for_nodes_tasks_and_gpus(root: Path) -> None:
    assert started(root, "true") == 0
    encode, start = calls(root)
    assert encode == ["R", "encode", "--hosts=m-node-0-[0-2]", "--cores=0-1", "--gpu=0-3"]
    assert start[-9:] == ["flux", "run", "-N", "3", "-n", "6", "-g", "2", "true"]


def test_without_a_command_the_lead_is_a_broker_to_log_in_to(root: Path) -> None:
    assert started(root) == 0
    assert calls(root)[1][0] == "broker"


def test_another_node_never_runs_the_command(root: Path) -> None:
    assert started(root, "bash", "-c", "exit 7", host="m-node-0-1") == 0
    assert "run" not in calls(root)[1]


def test_another_node_tries_until_its_broker_has_served(root: Path) -> None:
    program(root, "flux", FLUX.replace(
        "while [ \"$#\"", "[ -e \"$LOG.up\" ] || { touch \"$LOG.up\"; exit 1; }\nwhile [ \"$#\"", 1,
    ))  # fmt: skip
    assert started(root, host="m-node-0-2") == 0
    assert [call[0] for call in calls(root)] == ["R", "start", "start"]


def test_the_key_is_its_owners_alone(root: Path) -> None:
    assert started(root, "true") == 0
    copied = root / "mnt/flux/config/etc/curve/curve.cert"
    assert copied.read_text() == "secret"
    assert copied.stat().st_mode & 0o777 == 0o600


def test_init_run_again_gives_the_same_files(root: Path) -> None:
    assert run(root, "init.sh").returncode == 0
    first = tree(root)
    assert run(root, "init.sh").returncode == 0
    assert tree(root) == first
    assert any(name.endswith("broker.toml") for name in first)


def test_init_wants_one_view(root: Path) -> None:
    (root / "opt/views/._view/other").mkdir()
    done = run(root, "init.sh")
    assert done.returncode == 1
    assert "want one view" in done.stderr


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    device: str = "eth0"
    queue: str = "fcfs"


@pytest.mark.parametrize(
    "case",
    [
        TestCase("plain words"),
        TestCase("a quote in the device", device='e"th'),
        TestCase("a backslash in the device", device="e\\th"),
        TestCase("what a shell would expand", device="$(id)`id`$HOME", queue="it's"),
        TestCase("the word that ends the heredoc", queue="TOML"),
        TestCase("words", queue="two words"),
        TestCase("a placeholder of the script", device="@QUEUE@"),
        TestCase("a control character", queue="a\x7fb\x01"),
        TestCase("a line break", queue="a\nTOML\nid\n"),
    ],
    ids=lambda case: case.name,
)
def test_the_broker_reads_what_was_set(root: Path, case: TestCase) -> None:
    cluster = CLUSTER._replace(device=case.device, queue=case.queue)
    assert run(root, "init.sh", cluster=cluster).returncode == 0
    config = (root / "mnt/flux/config/etc/flux/config/broker.toml").read_text()
    read = tomllib.loads(config)
    assert read["bootstrap"]["default_bind"] == f"tcp://{case.device}:%p"
    assert read["bootstrap"]["default_connect"] == "tcp://%h.ring.team.svc.cluster.local:%p"
    assert read["bootstrap"]["hosts"] == [{"host": "m-node-0-[0-2]"}]
    assert read["sched-fluxion-qmanager"]["queue-policy"] == case.queue
    assert read["resource"]["path"].endswith("/mnt/flux/config/etc/flux/system/R")


def test_one_node_has_one_host(root: Path) -> None:
    cluster = CLUSTER._replace(nodes=1, tasks=1, gpus=0, gpus_per_task=0)
    assert started(root, "true", cluster=cluster) == 0
    encode, start = calls(root)
    assert encode == ["R", "encode", "--hosts=m-node-0-[0]", "--cores=0"]
    assert start[-7:] == ["flux", "run", "-N", "1", "-n", "1", "true"]
