"""``fmt``, ``set image`` and ``migrate`` as a user meets them: streams, disks, exit status."""

import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitops.repository import job, repository, trainc
from tests.mounts import namespace

UNTIDY = job("mnist", "torch-distributed").replace("  trainer:\n", "  suspend: true\n  trainer:\n")
NODES = "    numNodes: 2\n"
TIDY = job("mnist", "torch-distributed").replace(NODES, "") + NODES + "  suspend: true\n"
OLD = """\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: old}
spec:
  pytorchReplicaSpecs:
    Master: {template: {spec: {containers: [{name: pytorch, image: x, command: [a]}]}}}
"""


@dataclass(frozen=True)
class Edit:
    """A command that changes ``a.yaml``."""

    __test__ = False
    name: str
    text: str
    args: tuple[str, ...]
    want: str


EDITS = [
    Edit("fmt", UNTIDY, ("fmt",), "  suspend: true\n"),
    Edit("set", UNTIDY, ("set", "image", "node=example.com/b:2"), "image: example.com/b:2\n"),
    Edit("migrate", OLD, ("migrate",), "kind: TrainingRuntime\n"),
]
every_edit = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)


@every_edit
def test_a_file_is_edited_in_place(tmp_path: Path, edit: Edit) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(edit.text)
    path.chmod(0o640)
    done = trainc(tmp_path, *edit.args, "a.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a.yaml")
    assert edit.want in path.read_text() != edit.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.yaml"]


@every_edit
def test_line_ends_and_the_mark_stay(tmp_path: Path, edit: Edit) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + edit.text.replace("\n", "\r\n").encode())
    assert trainc(tmp_path, *edit.args, "a.yaml").returncode == 0
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n") > 5
    assert edit.want.encode().replace(b"\n", b"\r\n") in data


@every_edit
def test_a_link_stays_a_link(tmp_path: Path, edit: Edit) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/b.yaml").write_text(edit.text)
    (tmp_path / "a.yaml").symlink_to("real/b.yaml")
    assert trainc(tmp_path, *edit.args, "a.yaml").returncode == 0
    assert (tmp_path / "a.yaml").is_symlink()
    assert edit.want in (tmp_path / "real/b.yaml").read_text()


@every_edit
def test_standard_input_goes_to_standard_output(tmp_path: Path, edit: Edit) -> None:
    command = [sys.executable, "-m", "trainc", *edit.args, "-"]
    done = subprocess.run(command, cwd=tmp_path, input=edit.text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert edit.want in done.stdout
    assert done.stdout.endswith("\n")


@every_edit
@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"a: 1\n\tb: 2\n", "tab"),
        (b"a: [1\n", "a.yaml:2:1"),
        (b"a: 1\na: 2\n", "duplicate key 'a'"),
        (b"\xff\xfea\x00\n\x00", "save it as UTF-8"),
        (b"a: \xc3\x28\n", "UTF-8"),
    ],
    ids=["tab", "open bracket", "twice", "utf-16", "no text"],
)
def test_what_cannot_be_read_is_told_at_its_place(
    tmp_path: Path, edit: Edit, data: bytes, want: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    done = trainc(tmp_path, *edit.args, "a.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("a.yaml")
    assert want in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == data


@every_edit
def test_a_file_that_is_missing_or_empty(tmp_path: Path, edit: Edit) -> None:
    done = trainc(tmp_path, *edit.args, "a.yaml")
    assert done.returncode == 1
    assert "a.yaml: error: no such file" in done.stderr
    (tmp_path / "a.yaml").write_text("")
    done = trainc(tmp_path, *edit.args, "a.yaml")
    assert done.returncode == (1 if edit.name == "set" else 0)
    assert (tmp_path / "a.yaml").read_text() == ""


@every_edit
@pytest.mark.parametrize(
    ("options", "harm", "reason"),
    [
        ("size=4k", ":", "No space left on device"),
        ("size=1m", "mount -o remount,ro disk", "read-only"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_refuses_leaves_the_file_as_it_was(
    tmp_path: Path, edit: Edit, options: str, harm: str, reason: str
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "a.yaml").write_text(edit.text)
    mount = f"mount -t tmpfs -o {options} tmpfs disk"
    unshare = [*namespace(), "sh", "-ec"]
    command = " ".join([f"'{sys.executable}' -m trainc", *edit.args, "disk/a.yaml"])
    script = f"{mount}; cp a.yaml disk; {harm}; s=0; {command} || s=$?; cmp a.yaml disk/a.yaml"
    script += "; [ $(ls -A disk) = a.yaml ]; exit $s"
    done = subprocess.run([*unshare, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert reason in done.stderr
    assert done.stdout == ""


@every_edit
def test_a_template_is_left_alone(tmp_path: Path, edit: Edit) -> None:
    (tmp_path / "a.yaml.j2").write_text("{{ x }}\n")
    done = trainc(tmp_path, *edit.args, "a.yaml.j2")
    assert done.returncode == (0 if edit.name == "fmt" else 1)
    assert (tmp_path / "a.yaml.j2").read_text() == "{{ x }}\n"


def test_fmt_takes_what_is_for_trainc_and_nothing_else(tmp_path: Path) -> None:
    root = repository(tmp_path)
    trainc(root, "build", "--env", "all", "--emit", "both", "--out-dir", "out")
    (root / "jobs/mine.yaml").write_text(UNTIDY)
    (root / "jobs/chart.yaml").write_text("a:    {{ no yaml }}\n")
    (root / "jobs/other.yaml").write_text("kind:    ConfigMap\napiVersion: v1\n")
    (root / "jobs/draft.yaml").write_text(UNTIDY)
    (root / ".traincignore").write_text("draft.yaml\nchart.yaml\n")
    (root / "trainc.yaml").write_text("default_env: dev\nsources: [jobs]\noutput: out\n")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = trainc(root, "fmt")
    assert (done.returncode, done.stderr) == (0, "")
    changed = {str(p.relative_to(root)) for p, data in before.items() if p.read_bytes() != data}
    assert changed == set(done.stdout.splitlines())
    assert {"jobs/mine.yaml", "trainc.yaml"} <= changed
    assert all(name.startswith(("jobs/", "runtimes/", "overlays/", "trainc")) for name in changed)
    assert not changed & {"jobs/other.yaml", "jobs/draft.yaml", "jobs/chart.yaml"}
    assert trainc(root, "fmt").stdout == trainc(root, "fmt", "--check").stdout == ""
    rendered = next(root.glob("out/*/*/trainjob*"))
    assert trainc(root, "fmt", str(rendered)).stdout == ""


def test_fmt_check_prints_a_diff_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(UNTIDY)
    done = trainc(tmp_path, "fmt", "--check", "a.yaml")
    assert done.returncode == 1
    assert "+++ a.yaml\n" in done.stdout
    assert "+  suspend: true\n" in done.stdout
    assert "1 file is not in form" in done.stderr
    assert (tmp_path / "a.yaml").read_text() == UNTIDY
    (tmp_path / "a.yaml").write_text(TIDY)
    assert trainc(tmp_path, "fmt", "--check", "a.yaml").returncode == 0


def test_a_file_that_is_wrong_does_not_keep_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [\n")
    (tmp_path / "b.yaml").write_text(UNTIDY)
    done = trainc(tmp_path, "fmt", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout) == (1, "b.yaml\n")
    assert (tmp_path / "b.yaml").read_text() == TIDY


def test_set_image_in_all_files_or_in_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(job(name, "torch-distributed"))
    done = trainc(tmp_path, "set", "image", "a=x:1", "c=y:1", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'c'" in done.stderr and "a/node, b/node" in done.stderr
    assert "x:1" not in (tmp_path / "a.yaml").read_text()
    done = trainc(tmp_path, "set", "image", "--dry-run", "node=x:1", "a.yaml", "b.yaml")
    assert done.stdout.count("+    image: x:1\n") == 2
    done = trainc(tmp_path, "set", "image", "a=x:1", "b=y:1", "a.yaml", "b.yaml")
    assert done.stdout == (
        "a.yaml:9:5: TrainJob/a node: example.com/train:1.0 -> x:1\n"
        "b.yaml:9:5: TrainJob/b node: example.com/train:1.0 -> y:1\n"
    )
    assert trainc(tmp_path, "build", "a.yaml", "b.yaml").stdout.count("image: x:1\n") == 1
    done = trainc(tmp_path, "set", "image", "a=x:1", "b=z:1", "a.yaml", "b.yaml")
    assert done.stdout == "b.yaml:9:5: TrainJob/b node: y:1 -> z:1\n"


@pytest.mark.parametrize(
    "args", [("image", "a.yaml"), ("image", "a=b"), ("image",), ("image", "a=b", "a=c", "a.yaml")]
)
def test_set_image_says_how_it_is_used(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = trainc(tmp_path, "set", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert "trainc set image --help" in done.stderr


def test_migrate_lists_what_is_lost_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OLD + "  elasticPolicy: {}\n  runPolicy: {foo: 1}\n")
    (tmp_path / "b.yaml").write_text(OLD)
    before = (tmp_path / "a.yaml").read_text()
    done = trainc(tmp_path, "migrate", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout) == (1, "b.yaml: PyTorchJob/old\n")
    assert "a.yaml:7:3: error: spec.elasticPolicy: has no counterpart" in done.stderr
    assert "a.yaml:8:15: error: spec.runPolicy.foo" in done.stderr
    assert done.stderr.index("a.yaml:7:3") < done.stderr.index("a.yaml:8:15")
    assert (tmp_path / "a.yaml").read_text() == before
    assert trainc(tmp_path, "build", "b.yaml").returncode == 0
    assert "nothing to migrate" in trainc(tmp_path, "migrate", "b.yaml").stderr


@dataclass(frozen=True)
class Neighbour:
    """A file migrated in one run with ``OLD``, and the file that is refused, if any."""

    __test__ = False
    name: str
    text: str
    refused: str = ""
    other: str = ""


JAX = OLD.replace("PyTorchJob", "JAXJob").replace("pytorchReplica", "jaxReplica")
JAX = JAX.replace("Master:", "Worker:").replace("name: pytorch,", "name: jax,")
NEIGHBOURS = [
    Neighbour("a job of another kind", JAX, "b.yaml", "PyTorchJob/old of a.yaml:3:12"),
    Neighbour("a TrainJob", job("old", "x"), "a.yaml", "TrainJob/old of b.yaml"),
    Neighbour(
        "a runtime",
        "apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainingRuntime\n"
        "metadata: {name: old}\nspec: {template: {}}\n",
        "a.yaml", "TrainingRuntime/old of b.yaml:3:12",
    ),
    Neighbour("a variant of the same job", OLD.replace("image: x", "image: z")),
    Neighbour("another namespace", JAX.replace("{name: old}", "{name: old, namespace: team}")),
    Neighbour("another name", JAX.replace("name: old", "name: new")),
]  # fmt: skip


@pytest.mark.parametrize("case", NEIGHBOURS, ids=lambda case: case.name)
def test_files_of_one_run_make_no_objects_of_one_name(tmp_path: Path, case: Neighbour) -> None:
    before = {"a.yaml": OLD, "b.yaml": case.text}
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    done = trainc(tmp_path, "migrate", "a.yaml", "b.yaml")
    assert done.returncode == (1 if case.refused else 0), done.stderr
    for name, text in before.items():
        is_old = "kubeflow.org/v1\n" in text
        assert ((tmp_path / name).read_text() == text) == (name == case.refused or not is_old)
    if case.refused:
        assert f"{case.refused}:3:12: error: metadata.name: {case.other}" in done.stderr


def test_migrate_says_that_it_leaves_suspend_to_the_queue(tmp_path: Path) -> None:
    queued = OLD.replace("{name: old}", '{name: old, labels: {kueue.x-k8s.io/queue-name: "q"}}')
    (tmp_path / "a.yaml").write_text(queued + "  runPolicy: {suspend: true}\n")
    (tmp_path / "b.yaml").write_text(queued)
    (tmp_path / "c.yaml").write_text(OLD + "  runPolicy: {suspend: true}\n")
    done = trainc(tmp_path, "migrate", "a.yaml")
    assert done.returncode == 0
    assert "a.yaml:7:15: note: spec.runPolicy.suspend: left out: Kueue" in done.stderr
    assert "suspend" not in (tmp_path / "a.yaml").read_text()
    assert trainc(tmp_path, "migrate", "b.yaml").stderr == ""
    assert trainc(tmp_path, "migrate", "c.yaml").stderr == ""
    assert "suspend: true" in (tmp_path / "c.yaml").read_text()


@pytest.mark.parametrize("manager", ["", "acme", "bad!!name", "acme.com/", "/a"])
def test_migrate_takes_no_manager_that_a_build_would_refuse(manager: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    done = trainc(tmp_path, "migrate", f"--manager={manager}", "a.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "acme.com/vision" in done.stderr


def test_migrate_shows_what_it_would_do(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OLD)
    done = trainc(tmp_path, "migrate", "--dry-run", "a.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "+kind: TrainingRuntime\n" in done.stdout
    assert (tmp_path / "a.yaml").read_text() == OLD
