"""What the agent's tests share: a fake policy service, and an endpoint enrolled with it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from health_agent import identity
from health_agent.enrol import Machine, enrol
from tests.unit.health_agent.fake_service import FakeService

MAC = "02:00:00:00:00:10"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeService]:
    fake = FakeService(tmp_path / "service")
    yield fake
    fake.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def endpoint(service: FakeService, state: Path) -> identity.Identity:
    """Enrolled with the service."""
    enrol(state, service.token(), Machine("pc-17", (MAC,), True, "0.1"), time.time_ns() // 1000)
    return identity.load(state)
