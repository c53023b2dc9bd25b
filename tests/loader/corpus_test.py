"""The fuzzer's corpus and the hostile files of the table, without the fuzzer."""

import gzip
import json
from pathlib import Path

import pytest
from tests.fuzz.invariants import check

TESTS = Path(__file__).parents[1]
CORPUS = sorted((TESTS / "fuzz" / "corpus").iterdir())
TABLE = json.loads(gzip.decompress((TESTS / "data" / "yaml.json.gz").read_bytes()))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_the_fuzzer_kept(path: Path) -> None:
    check(path.read_bytes())


@pytest.mark.parametrize("part", range(4))
def test_every_document_of_the_table(part: int) -> None:
    for text, *_ in TABLE["documents"][part::4]:
        check(text.encode("latin-1"))
