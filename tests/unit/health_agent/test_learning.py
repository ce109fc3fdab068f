"""Telling the service the baseline."""

import pytest

from health_agent import learning
from health_agent.contract import InventoryLine
from health_agent.identity import Identity
from health_agent.learning import upload
from tests.unit.health_agent.fake_service import FakeService, Refusal
from tests.unit.health_agent.makers import GOOD

LINES = [InventoryLine(f"{number:064x}", f"/bin/p{number}") for number in range(2500)]


def test_an_inventory_arrives_in_parts(service: FakeService, endpoint: Identity) -> None:
    assert upload(endpoint, LINES) is None
    assert [(len(part.lines), part.last) for part in service.inventory] == [(2000, False), (500, True)]


def test_a_clock_that_is_off_is_learned_on_the_way(service: FakeService, endpoint: Identity) -> None:
    real = service.clock
    service.clock = lambda: real() + 86_400_000_000
    assert upload(endpoint, [InventoryLine(GOOD, "/a")]) is None
    assert service.problems == ["clock-skew"]


def test_a_service_that_refuses_is_named(
    service: FakeService, endpoint: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.time, "sleep", lambda seconds: None)
    service.refuse = lambda path, message: Refusal(503, "store-unavailable")
    reason = upload(endpoint, LINES)
    assert reason is not None
    assert "in trouble" in reason
    assert len(service.problems) == learning.TRIES
