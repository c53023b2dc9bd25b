"""The schema of Volcano's PodGroup that trainc ships is that of Volcano's own types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import volcano
from tests.cluster.binaries import UnavailableError
from trainc.kube.generate import generate
from trainc.kube.schema import FOLDER


@pytest.mark.cluster
def test_the_committed_schema_is_of_the_types() -> None:
    try:
        folder = volcano.find(build=False).parent
    except UnavailableError as why:
        pytest.skip(str(why))
    wanted = generate(folder)
    del wanted["rules.json"]  # holds those of all kinds; this one has none
    committed = {path.name: path.read_text() for path in Path(FOLDER).glob("volcano*.json")}
    assert committed == wanted, "run: python -m trainc.kube.generate CRDS DIR"
