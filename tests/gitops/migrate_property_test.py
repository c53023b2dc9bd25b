"""Whatever stands where something else should: ``migrate`` and ``set image`` say so, or do it."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainc.edit.image import chosen, slots_of, with_images
from trainc.edit.migration.fields_test import RUNTIME
from trainc.edit.migration.rewrite import migrated
from trainc.edit.migration.rewrite_test import MPI, OVERRIDES, PYTORCH
from trainc.edit.migration.work import Options
from trainc.edit.text import of_bytes
from trainc.errors import TraincError
from trainc.source.files import File
from trainc.source.parse import parse

FIELDS = RUNTIME.replace("torch: {}", "torch: {numProcPerNode: gpu, elasticPolicy: {}}")
OLD_JOBS = sorted((Path(__file__).parent / "old_jobs").glob("*.yaml"))
TEXTS = [PYTORCH, MPI, OVERRIDES, FIELDS, *(path.read_text() for path in OLD_JOBS)]
WHOLE = [parse(text.encode(), "")[0][0].root for text in TEXTS]
JUNK = 'null 0 -1 1.5 true "" "x" [] ["x"] [1] {} {"a":1} [{}] [[]] {"name":"node"}'
junk = st.sampled_from(JUNK.split())


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a tree."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    inner = [node[key] for key in keys if isinstance(node[key], dict | list)]
    return [*((node, key) for key in keys), *(each for child in inner for each in places(child))]


@given(st.sampled_from(range(len(WHOLE))), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_of_a_document_is_a_bug(which: int, data: st.DataObject) -> None:
    root = json.loads(json.dumps(WHOLE[which]))
    for _ in range(data.draw(st.integers(1, 3))):
        node, key = data.draw(st.sampled_from(places(root)))
        node[key] = json.loads(data.draw(junk))
    text = of_bytes(json.dumps(root).encode(), File("a.yaml", "a.yaml", True))
    try:
        done = migrated(text, Options("acme.com/a", fixed_nodes=True))
        assert done.text != text.text or not done.objects
        found = slots_of(of_bytes(done.text.encode(), text.file))
        assert found == [] or chosen(found, {found[0].name: "x:1"})
        with_images(text, chosen(slots_of(text), {"node": "x:1"}))
    except TraincError as error:
        assert error.problems
