"""What the tests of attacks share."""

from collections.abc import Iterator

import pytest

from tests.hostile.processes import Forks


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Runs command lines, each in a process that is bounded and measured."""
    server = Forks()
    yield server
    server.close()
