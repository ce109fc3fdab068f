"""The event stream: told that something changed, once per burst, and only to whom it concerns."""

import asyncio

import pytest

from api.console.hub import Hub
from api.feed import Feed
from radius_policy.model import TenantId
from radius_policy.store.interface import Change
from radius_policy.store.memory import MemoryStore

pytestmark = pytest.mark.anyio
OURS, THEIRS = TenantId(1), TenantId(2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def there() -> bool:
    return True


def made_hub() -> Hub:
    return Hub(Feed(MemoryStore()))


async def test_a_burst_of_changes_is_told_once_with_its_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.console.hub.QUIET_S", 0.02)
    hub = made_hub()
    stream = hub.stream(OURS, there)  # type: ignore[arg-type]
    assert "event: hello" in await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for number in range(50):
        hub.heard([Change(number, OURS, "event", f"e{number}"), Change(number, OURS, "host", "h")])
    assert await asyncio.wait_for(waiting, 1) == "event: change\ndata: event host\n\n"
    await stream.aclose()


async def test_changes_of_another_tenant_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.console.hub.PING_S", 0.05)
    hub = made_hub()
    stream = hub.stream(OURS, there)  # type: ignore[arg-type]
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    hub.heard([Change(1, THEIRS, "event", "e")])
    assert await waiting == ": still here\n\n"
    await stream.aclose()


async def test_a_stream_ends_with_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.console.hub.PING_S", 0.01)

    async def gone() -> bool:
        return False

    hub = made_hub()
    stream = hub.stream(OURS, gone)  # type: ignore[arg-type]
    assert [part async for part in stream][1:] == []


async def test_closing_ends_all_streams_and_lets_no_new_one_in() -> None:
    hub = made_hub()
    stream = hub.stream(OURS, there)  # type: ignore[arg-type]
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream, "ended"))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, 1) == "ended"
    assert hub.full


async def test_a_watcher_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.console.hub.MOST", 1)
    hub = made_hub()
    stream = hub.stream(OURS, there)  # type: ignore[arg-type]
    await anext(stream)
    assert hub.full
    await stream.aclose()
    assert not hub.full
