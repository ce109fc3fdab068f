"""The RADIUS process moves an endpoint: from the decision in the store to the proof in accounting."""

import asyncio
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from api.config import Address, Config, Radius, Service
from api.radius_process.process import serve
from api.start import CannotStart
from radius_policy.model import Access, EventKind, OrderState
from radius_policy.store import open_store
from tests.integration.radius_world import world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["memory:", "sqlite:///{folder}/pratique.db"])
async def test_a_decided_move_is_sent_answered_and_confirmed_by_accounting(url: str, tmp_path: Path) -> None:
    store = await open_store(url.format(folder=tmp_path), migrate=True)
    async with world(store=store) as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        assert (await switch.authenticate()).code == 2
        assert switch.vlan == b"10"
        await site.until(OrderState.CONFIRMED)

        await site.decide(Access.REMEDIATION)
        order = await site.until(OrderState.CONFIRMED)

        assert switch.vlan == b"66"
        assert order.session == switch.session
        assert order.datagram == switch.raw[0], "what was sent is stored, byte for byte"
        events = await site.events()
        assert [event.kind for event in events].count(EventKind.MOVE_CONFIRMED) == 2
        facts = events[-1].facts
        assert (facts["switch"], facts["port"], facts["access"]) == ("the switch", "eth7", "remediation")

        await site.decide(Access.PRODUCTION)
        await site.until(OrderState.CONFIRMED)
        assert switch.vlan == b"10"
        assert [session.session for session in await site.sessions() if session.ended is None] == [switch.session]
    await store.close()


def test_a_port_in_use_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
        radius = Radius(Address(host, port), Address("127.0.0.1", 0), "127.0.0.1")
        with pytest.raises(CannotStart, match=rf"cannot listen on {host}:{port}/udp.*is another RADIUS server running"):
            asyncio.run(serve(Config(Service(tmp_path, "memory:"), radius=radius)))
    assert not list(tmp_path.glob("*.bell")), "nothing is left behind"


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    radius = Radius(Address("127.0.0.1", 0), Address("127.0.0.1", 0), "127.0.0.1")
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    asyncio.run(serve(Config(Service(tmp_path, "memory:"), radius=radius)))
    timer.join()
    assert (tmp_path / "radius-stats.json").exists()
