"""``check`` and ``validate`` on the sample repository."""

import json
from pathlib import Path

import pytest

from tests.gitops.repository import repository, trainc


@pytest.fixture
def root(tmp_path: Path) -> Path:
    repository(tmp_path)
    done = trainc(tmp_path, "build", "--env", "all", "--out-dir", "out")
    assert done.returncode == 0, done.stderr
    return tmp_path


def check(root: Path, *args: str) -> tuple[int, str, str]:
    done = trainc(root, "check", "--env", "all", *args)
    return done.returncode, done.stdout, done.stderr


def test_a_fresh_output_says_nothing(root: Path) -> None:
    assert check(root) == (0, "", "")


def test_a_changed_source_is_a_diff_of_what_it_changes(root: Path) -> None:
    path = root / "jobs/jax.yaml"
    path.write_text(path.read_text().replace("--lr=1", "--lr=2"))
    before = sorted((root / "out").rglob("*"))
    status, out, err = check(root)
    assert status == 1
    for env in ("dev", "prod"):
        assert f"+++ out/{env}/default/jobset.jobset.x-k8s.io-job-jax.yaml" in out
    assert "+" in out and "--lr=2" in out
    assert "out: error: 2 files of the output differ [TRC022]\n" in err
    assert "trainc build --out-dir out" in err
    assert sorted((root / "out").rglob("*")) == before


def test_a_file_that_is_missing_or_edited_is_drift_and_a_comment_is_not(root: Path) -> None:
    path = root / "out/dev/default/jobset.jobset.x-k8s.io-vision.yaml"
    text = path.read_text()
    path.write_text(f"# a note\n{text}")
    assert check(root)[0] == 0
    path.write_text(text.replace("example.com/train:1.0", "example.com/other:1.0"))
    assert check(root)[0] == 1
    path.unlink()
    status, out, _ = check(root)
    assert status == 1
    assert "--- /dev/null" in out


def test_another_version_of_the_compiler_is_one_line(root: Path) -> None:
    for index in (root / "out").rglob(".trainc.json"):
        document = json.loads(index.read_text())
        index.write_text(json.dumps({**document, "compiler": "0.0.1"}))
    status, out, err = check(root, "--env", "dev")
    assert (status, out) == (0, "")
    assert len(err.splitlines()) == 1
    assert "0.0.1" in err


def test_an_environment_that_is_gone_is_drift(root: Path) -> None:
    (root / "overlays/prod").rename(root / "gone")
    status, out, _ = check(root)
    assert status == 1
    assert "out/prod/default/" in out
    assert "out/dev/default/" not in out


def test_an_output_from_before_there_were_environments_is_drift_and_goes(root: Path) -> None:
    (root / "overlays").rename(root / "later")
    (root / "trainc.yaml").write_text("sources: [jobs]\nvalues: {image: x, rates: []}\n")
    assert trainc(root, "build", "--out-dir", "fresh").returncode == 0
    assert list((root / "fresh/default").iterdir())
    (root / "later").rename(root / "overlays")
    done = trainc(root, "check", "--out-dir", "fresh")
    assert done.returncode == 1
    assert "--- fresh/default/" in done.stdout
    assert trainc(root, "build", "--out-dir", "fresh").returncode == 0
    assert not (root / "fresh/default").exists()
    assert list((root / "fresh/dev/default").iterdir())
    assert trainc(root, "check", "--out-dir", "fresh").returncode == 0


def test_an_output_that_is_no_folder_is_told(root: Path) -> None:
    (root / "file").touch()
    (root / "trainc.yaml").write_text(
        "sources: [jobs]\noutput: file\nvalues: {image: x, rates: []}\n"
    )
    done = trainc(root, "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be read: not a directory" in done.stderr


def test_validate_prints_problems_only(root: Path) -> None:
    done = trainc(root, "validate", "--env", "all")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (root / "jobs/jax.yaml").write_text("kind: TrainJob\n")
    done = trainc(root, "validate", "--env", "all")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("jobs/jax.yaml:1:1") == 1
