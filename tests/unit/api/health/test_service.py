"""Alive, ready, counted."""

from pathlib import Path

import pytest

from api.health import service as module
from radius_policy.store.interface import StoreFull
from tests.unit.api.world import World, problem


def test_alive_needs_nothing(world: World) -> None:
    assert world.ask("GET", "/healthz").json() == {"status": "ok"}


def test_ready_names_what_is_missing_to_strangers_without_details(world: World) -> None:
    answer = world.ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "missing": ["radius"]}


def test_the_machine_itself_gets_the_same_shape_and_the_reasons_beside_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_same_machine", lambda _: True)
    told = world.ask("GET", "/readyz").json()
    assert (told["missing"], list(told["reasons"])) == (["radius"], ["radius"])


def test_ready_when_the_store_writes_and_the_radius_process_is_heard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.service.metrics.radius, "age", lambda: 0.5)
    assert world.ask("GET", "/readyz").json() == {"ready": True, "missing": []}


def test_a_full_disk_is_not_ready_and_strangers_share_one_probe_a_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes: list[int] = []

    async def full(_: object) -> None:
        probes.append(1)
        raise StoreFull("no space left")

    monkeypatch.setattr(world.store, "write", full)
    for _ in range(10):
        assert "store" in world.ask("GET", "/readyz").json()["missing"]
    assert len(probes) == 1
    monkeypatch.setattr(module, "PROBE_EVERY_S", 0.0)
    world.ask("GET", "/readyz")
    assert len(probes) == 2


def test_metrics_are_for_logins_and_for_the_machine_itself(world: World, folder: Path) -> None:
    assert problem(world.ask("GET", "/metrics")) == "unauthenticated"
    answer = world.rest("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "pratique_radius_up" in answer.text
