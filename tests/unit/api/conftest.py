"""A service in memory for each test; its CA is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.world import World


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    made = World(folder)
    yield made
    made.close()
