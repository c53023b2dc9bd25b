"""Records what the API server's own code makes of generated documents.

Run as ``python -m tests.admission.record`` (needs Go); writes
``tests/data/admission.json.gz``: a list of {"new", "old", "verdict"}.
"""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import corpora
from tests.admission.documents import a_document, changed, spoiled

HERE = Path(__file__).parent
ORACLE = HERE.parent / "oracle" / "admission"
RECORD = HERE.parent / "data" / "admission.json.gz"
KINDS = ("TrainJob", "TrainingRuntime", "ClusterTrainingRuntime")
SEEDS = 250


def main() -> None:
    crds = sorted(corpora.crds().glob("trainer.kubeflow.org_*.yaml"))
    given = [line for kind in KINDS for line in _lines(kind)]
    done = subprocess.run(
        ["go", "run", ".", *map(str, crds)],
        cwd=ORACLE,
        input="\n".join(json.dumps(_as_json(line)) for line in given),
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = [_ordered(json.loads(line)) for line in done.stdout.splitlines()]
    rows = [{**line, "verdict": verdict} for line, verdict in zip(given, verdicts, strict=True)]
    # No time stamp: the same documents give the same bytes.
    text = json.dumps(rows, separators=(",", ":")).encode()
    RECORD.write_bytes(gzip.compress(text, mtime=0))


def _lines(kind: str) -> Iterator[dict[str, Any]]:
    for seed in range(SEEDS):
        root = a_document(kind, seed)
        yield {"new": root, "old": None}
        worse = spoiled(root, seed)
        if worse.get("kind") == kind and worse.get("apiVersion") == root["apiVersion"]:
            yield {"new": worse, "old": None}
        yield {"new": changed(root, seed), "old": root}


def _ordered(verdict: dict[str, Any]) -> dict[str, Any]:
    """Gives the verdict with its lists sorted: the server walks maps in random order."""
    return {
        key: sorted(value, key=json.dumps) if isinstance(value, list) else value
        for key, value in verdict.items()
    }


def _as_json(value: Any) -> Any:
    """Gives the value as sigs.k8s.io/yaml hands it on: there ``1.0`` is written 1."""
    if isinstance(value, dict):
        return {key: _as_json(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_as_json(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    main()
