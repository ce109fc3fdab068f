"""What stands in the way of a start is one sentence; background work goes on."""

import asyncio
import socket

import pytest

from api import main
from api.authority import note
from api.config import Address
from api.start import CannotStart
from radius_policy.model import Setting
from tests.unit.api.world import World


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} on 127\.0\.0\.1 is in use.*api\.listen"):
            main.bind(Address("127.0.0.1", port))


@pytest.mark.parametrize(
    ("host", "says"), [("192.0.2.1", "no address of this machine"), ("nonsense.invalid", "cannot listen")]
)
def test_an_address_that_is_not_ours_is_said(host: str, says: str) -> None:
    with pytest.raises(CannotStart, match=says):
        main.bind(Address(host, 0))


def test_background_work_that_fails_is_counted_and_begun_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_FIRST_PAUSE_S", 0.001)
    begun: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) == 3:
            third.set()
        raise RuntimeError("a defect")

    async def story() -> None:
        task = asyncio.create_task(main._kept(world.service, "work", work))
        await third.wait()
        task.cancel()

    world.run(asyncio.wait_for(story(), 10))
    assert world.service.metrics.failures.labels("work")._value.get() >= 2


def test_a_changed_settings_list_is_read_before_a_report_has_to_wait_for_it(world: World) -> None:
    world.run(main.read_policy(world.service))
    assert world.read(lambda tx: world.service.policies.current(tx, 1, world.now)).paused is False


def test_a_lost_ca_is_told_with_how_many_endpoints_trust_the_former_one(world: World) -> None:
    lose = lambda fingerprint: world.write(lambda tx: note(tx, 1, fingerprint, now=world.now))  # noqa: E731
    assert lose("aa") == 0
    world.agent()
    assert [lose("aa"), lose("bb"), lose("bb")] == [0, 1, 0]
    [event] = [event for event in world.events() if event.topic == "authority"]
    assert "1 endpoints trust the former one" in event.text
    assert world.read(lambda tx: tx.get(Setting, 1, "authority")).value == {"fingerprint": "bb"}


def test_the_answer_goes_out_before_the_bell_is_rung(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.api.world import execution

    agent, order = world.agent(), []
    monkeypatch.setattr(type(world.service), "ring", lambda _: order.append("rung"))
    from api.ingest.routes import Signed

    real = Signed.__call__

    async def call(self: object, scope: object, receive: object, send: object) -> None:
        async def sending(message: dict[str, object]) -> None:
            if message["type"] == "http.response.body":
                order.append("answered")
            await send(message)

        await real(self, scope, receive, sending)

    monkeypatch.setattr(Signed, "__call__", call)
    agent.tell(execution(world))
    assert order == ["answered", "rung"]
