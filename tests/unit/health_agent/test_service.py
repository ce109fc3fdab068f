"""The shell: what it wires is proven by tests/integration/test_agent_service.py; here is what happens when a part fails."""

import gc
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from health_agent.identity import Identity
from health_agent.sensors.polling import PollingSensor
from health_agent.service import Agent, Options, ServiceError
from tests.unit.health_agent.fake_service import FakeService


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    """A run of the agent takes over signals and hooks of its process; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hook = threading.excepthook
    yield
    threading.excepthook = hook
    for number, handler in handlers.items():
        signal.signal(number, handler)
    gc.unfreeze()


@pytest.mark.usefixtures("_as_it_was")
def test_a_part_that_fails_ends_the_agent_rather_than_leaving_it_deaf(
    service: FakeService,
    endpoint: Identity,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(self: PollingSensor) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(PollingSensor, "run", fails)
    agent = Agent(Options(state=state, version="0.1", watch=(str(state),), sensor="polling"))
    with caplog.at_level(logging.INFO):
        assert agent.run() == 1
    assert "its part 'sensor' failed" in caplog.text
    assert "a defect" in caplog.text


def test_a_state_that_is_in_use_is_refused(endpoint: Identity, state: Path) -> None:
    from health_agent import locking

    held = locking.hold(state)
    assert held is not None
    with pytest.raises(ServiceError, match="another agent is running"):
        Agent(Options(state=state, version="0.1"))
    held.close()
