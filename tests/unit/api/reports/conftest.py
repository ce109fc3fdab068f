"""A service in memory for the stories of the reports; its CA is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.world import World


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    made = World(folder, '[site]\ntimezone = "Europe/Berlin"\n')
    yield made
    made.close()
