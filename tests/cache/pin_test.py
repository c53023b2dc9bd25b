"""Pinning: the catalog is asked, the snapshot written, everything else kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyiceberg.catalog
import pytest
from pyiceberg.table import Table
from pyiceberg.utils.config import Config
from tests.cache.iceberg_tables import a_catalog, plain_table
from tests.cache.running import write_parquet

from trainc.cache.pin import Pin, pinned
from trainc.cache.sources.files import current_snapshot
from trainc.errors import TraincError

JOB = """\
# A job, with a comment.
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: tune   # and another
spec:
  runtimeRef: {{name: torch-distributed-with-cache}}
  initializer:
    dataset:
      storageUri: {uri}   # the table
{env}      # the end
---
kind: Other   # left alone
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.setenv("PYICEBERG_CATALOG__TEST__TYPE", "sql")
    monkeypatch.setenv("PYICEBERG_CATALOG__TEST__URI", f"sqlite:///{tmp_path}/catalog.db")
    # pyiceberg reads the environment when it is imported.
    monkeypatch.setattr(pyiceberg.catalog, "_ENV_CONFIG", Config())
    return plain_table(tmp_path)


def test_the_catalog_is_asked_and_the_rest_is_kept(table: Table, tmp_path: Path) -> None:
    item = "        - name: CATALOG_NAME\n          value: test\n"
    env = f"      env:\n        # which catalog\n{item}"
    before = JOB.format(uri="cache://db/plain", env=env)
    newest = str(table.metadata.current_snapshot_id)
    after, pins = pinned(before, "job.yaml", {})
    assert pins == [Pin("tune", "db.plain", newest)]
    added = f'        - name: SNAPSHOT_ID\n          value: "{newest}"\n'
    assert after == before.replace(item, item + added)
    assert pinned(after, "job.yaml", {})[0] == after
    a_catalog(tmp_path).load_table("db.plain").delete("id < 10")
    later, [pin] = pinned(after, "job.yaml", {})
    assert pin.snapshot != newest
    assert later == after.replace(newest, pin.snapshot)


def test_a_metadata_file_that_is_named_too_is_brought_up_to_date(
    table: Table, tmp_path: Path
) -> None:
    old = table.metadata_location
    newer = a_catalog(tmp_path).load_table("db.plain")
    newer.delete("id < 10")
    env = (
        "      env:\n      - {name: CATALOG_NAME, value: test}\n"
        f"      - name: METADATA_LOC\n        value: {old}  # where\n"
    )
    after, _ = pinned(JOB.format(uri="cache://db/plain", env=env), "job.yaml", {})
    assert f'        value: "{newer.metadata_location}"  # where\n' in after
    assert f'        value: "{newer.metadata.current_snapshot_id}"\n' in after


def test_without_a_catalog_it_is_the_snapshot_of_the_metadata_file(table: Table) -> None:
    text = JOB.format(uri="cache://db/plain", env="").replace("\n", "\r\n")
    after, [pin] = pinned(text, "job.yaml", {"METADATA_LOC": table.metadata_location})
    assert pin.snapshot == str(table.metadata.current_snapshot_id)
    assert after.count("\r\n") == after.count("\n") == text.count("\n") + 3


def test_files_are_pinned_by_the_digest_of_their_listing(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "data", (10,))
    uri = f"cache+parquet://{tmp_path}/data"
    before = JOB.format(uri=uri, env="") + "---\n" + JOB.format(uri=uri, env="")
    after, pins = pinned(before, "job.yaml", {})
    assert len(pins) == 2
    value = current_snapshot(source)
    added = f'      env:\n      - name: SNAPSHOT_ID\n        value: "{value}"\n'
    assert after == before.replace("# the table\n", f"# the table\n{added}")


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    message: str
    environ: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        TestCase("no cache", "kind: TrainJob\n", "job.yaml: .*no TrainJob with a cache"),
        TestCase("no YAML", "a: [\n", "job.yaml: .*not YAML"),
        TestCase(
            "no metadata", JOB.format(uri="cache://db/t", env=""), "job.yaml:10:7: .*metadata"
        ),
        TestCase("no files", JOB.format(uri="cache+parquet:///no/such", env=""), "job.yaml:10:7"),
        TestCase("no table", JOB.format(uri="cache://a/b/c", env=""), "expected format"),
    ],
    ids=lambda case: case.name,
)
def test_what_is_wrong_is_said(case: TestCase) -> None:
    with pytest.raises(TraincError, match=case.message):
        pinned(case.text, "job.yaml", case.environ)


def test_an_env_that_cannot_be_edited_in_place_is_left(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (10,))
    flow = "      env: [{name: A, value: b}]\n"
    text = JOB.format(uri=f"cache+parquet://{tmp_path}/data", env=flow)
    with pytest.raises(TraincError, match="cannot write SNAPSHOT_ID here") as raised:
        pinned(text, "job.yaml", {})
    assert "one item a line" in str(raised.value)
