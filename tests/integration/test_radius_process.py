"""The RADIUS process on its sockets: what it drops, whom it keeps apart, and that it lives without its store."""

import asyncio
import json
import socket

import pytest

from api.radius_process.process import Listen
from lab.switch import codec
from radius_policy.model import (
    Access,
    EventKind,
    Mac,
    MacAccess,
    Nas,
    Order,
    OrderState,
    Session,
    Setting,
    TenantId,
)
from tests.integration.radius_world import HOST, MAC, SECRET, TENANT, world

pytestmark = pytest.mark.anyio
TWO = TenantId(2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_nas_that_acknowledges_and_does_nothing_is_never_confirmed() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        switch.obeys = False
        clock, ahead = site.process.clock, [0]
        site.process.desk._clock = lambda: clock() + ahead[0]

        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.ACKNOWLEDGED)
        ahead[0] = 6_000_000
        site.process.desk.tick()
        await site.until(OrderState.NOT_CONFIRMED)
        kinds = [event.kind for event in await site.events()]
        assert kinds[-1] == EventKind.MOVE_NOT_CONFIRMED
        for turn in range(2, 6):
            ahead[0] = turn * 10_000_000
            site.process.desk.tick()
            await asyncio.sleep(0.05)
            ahead[0] += 6_000_000
            site.process.desk.tick()
            await asyncio.sleep(0.05)
        assert (await site.orders())[-1].state is OrderState.FAILED
        kinds = [event.kind for event in await site.events()]
        assert kinds[-1] == EventKind.MOVE_FAILED
        assert kinds.count(EventKind.MOVE_CONFIRMED) == 1, "the first move alone"
        assert [message.code for message in switch.asked] == [43, 43, 40, 40]


async def test_a_restart_between_the_acknowledgement_and_the_re_authentication_loses_nothing() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        switch.obeys = False
        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.ACKNOWLEDGED)

        await site.restart()
        await site.ready()
        await switch.authenticate()
        order = await site.until(OrderState.CONFIRMED)
        assert order.access is Access.REMEDIATION
        assert len(switch.asked) == 1, "nothing was sent twice"


async def test_what_was_on_the_wire_goes_on_after_a_restart_byte_for_byte() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        switch.silent = True
        await site.decide(Access.REMEDIATION)
        sent = await site.until(OrderState.SENT)
        await site.restart()
        switch.silent = False
        await site.until(OrderState.CONFIRMED, seconds=8)
        assert switch.raw == [sent.datagram, sent.datagram]


async def test_two_tenants_with_the_same_mac_and_switch_address_never_touch() -> None:
    listeners = [
        Listen(("127.0.0.1", 0), ("127.0.0.1", 0)),
        Listen(("127.0.0.1", 0), ("127.0.0.1", 0), "second", TWO),
    ]
    async with world(listeners) as site:
        one = await site.switch("127.0.0.2")
        two = await site.switch("127.0.0.2", tenant=TWO, listener="second", secret=b"another-secret")
        await site.decide(Access.PRODUCTION)
        await site.decide(Access.PRODUCTION, tenant=TWO)
        await one.authenticate()
        await two.authenticate()
        await site.until(OrderState.CONFIRMED)
        await site.until(OrderState.CONFIRMED, tenant=TWO)

        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.CONFIRMED)
        assert (one.vlan, two.vlan) == (b"66", b"10")
        assert len(one.asked) == 1
        assert two.asked == []
        assert len(await site.orders(TWO)) == 1
        assert {event.tenant for event in await site.events(TWO)} == {TWO}
        two.secret, other = one.secret, two.secret
        assert await two.authenticate(seconds=0.1) is None, (
            "one tenant's secret is worth nothing at the other's listener"
        )
        two.secret = other


async def test_garbage_wrong_secrets_and_strangers_are_dropped_counted_and_harm_nobody() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        right, switch.secret = switch.secret, b"a-wrong-secret"
        assert await switch.authenticate(seconds=0.1) is None
        assert await switch.account(1, seconds=0.1) is None
        switch.secret = right
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(50):
                stranger.sendto(b"garbage", site.address("authentication"))
                stranger.sendto(bytes(5000), site.address("accounting"))
            stranger.sendto(
                codec.request(1, 1, [(1, b"020000000010")], SECRET, bytes(16)), site.address("authentication")
            )
        await asyncio.sleep(0.05)
        assert (await switch.authenticate()).code == codec.ACCESS_ACCEPT
        dropped = site.process.stats()["dropped"]
        assert dropped["too_short"] == 50
        assert dropped["bad_length"] == 50
        assert dropped["unknown_client"] == 1
        assert dropped["bad_message_authenticator"] == 1
        assert dropped["bad_request_authenticator"] == 1


async def test_without_its_store_it_answers_and_leaves_accounting_to_be_sent_again() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.REMEDIATION)
        site.store.away = True
        answer = await switch.authenticate(seconds=0.2)
        assert answer.code == codec.ACCESS_ACCEPT
        assert switch.vlan == b"66"
        assert site.process.stats()["requests"]["accounting_unanswered"] >= 1

        await site.restart()
        assert not site.process.ready
        assert (await switch.authenticate(seconds=0.2)).code == codec.ACCESS_ACCEPT
        assert switch.vlan == b"66", "answered from the file"
        assert (await site.sessions_or_none()) is None

        site.store.away = False
        await site.ready()
        assert await switch.account(1) is not None
        await site.until(OrderState.CONFIRMED)


async def test_a_pause_holds_back_what_tightens_and_lets_releases_and_admins_pass() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        await site.put("settings", "pause", Setting(TENANT, "pause", {"paused": True}, 1, "admin", 0))
        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.SUPERSEDED)
        assert switch.asked == []
        await site.decide(Access.REMEDIATION, by="admin")
        await site.until(OrderState.CONFIRMED)
        assert switch.vlan == b"66"
        await site.decide(Access.PRODUCTION)
        await site.until(OrderState.CONFIRMED)
        assert switch.vlan == b"10"


async def test_blocked_is_a_reject_and_confirmed_when_the_last_session_is_gone() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        await site.decide(Access.BLOCKED)
        await site.until(OrderState.CONFIRMED)
        await site.soon(lambda: switch.session == b"")


async def test_a_switch_that_refuses_is_tried_by_the_next_method_and_then_people_are_told() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        switch.nak = 405
        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.FAILED)
        assert [message.code for message in switch.asked] == [43, 40]
        assert (await site.events())[-1].kind == EventKind.MOVE_FAILED


async def test_a_newer_decision_overtakes_one_that_nobody_answered() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)
        switch.silent = True
        await site.decide(Access.REMEDIATION)
        await site.until(OrderState.SENT)
        await site.decide(Access.PRODUCTION)
        await asyncio.sleep(0.05)
        older, newer = (await site.orders())[-2:]
        assert (older.state, older.superseding) == (OrderState.SENT, True)
        assert newer.state is OrderState.PLANNED, "it waits for the answer that is under way"
        switch.silent = False
        await site.until(OrderState.CONFIRMED, seconds=8)
        assert (await site.orders())[-2].state is OrderState.SUPERSEDED
        assert switch.vlan == b"10"


async def test_its_switch_removed_an_open_order_has_failed_with_that_reason() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        await switch.authenticate()
        await site.until(OrderState.CONFIRMED)

        def remove(tx) -> None:
            tx.delete(Nas, tenant=TENANT, nas_id="sw1")
            tx.note(TENANT, "nas", "sw1")

        await site.store.write(remove)
        await site.decide(Access.REMEDIATION)
        order = await site.until(OrderState.FAILED)
        assert "no_profile" in order.note


async def test_the_figures_are_written_each_second_and_the_snapshot_is_for_its_owner_alone() -> None:
    async with world() as site:
        await site.switch()
        await site.decide(Access.REMEDIATION)
        await asyncio.sleep(1.3)
        figures = json.loads((site.data / "radius-stats.json").read_bytes())
        assert figures["snapshot"]["macs"] == 1
        assert figures["store_open"] == 1
        assert (site.data / "radius-snapshot").stat().st_mode & 0o777 == 0o600
        assert b"secret" not in (site.data / "radius-stats.json").read_bytes()


async def test_a_fact_that_cannot_be_booked_costs_that_fact_alone() -> None:
    async with world() as site:
        switch = await site.switch()
        await site.decide(Access.PRODUCTION)
        book = site.process.books.book

        def fails_on_host_99(tx, facts):
            facts = list(facts)
            if any(getattr(fact, "mac", None) == "02:00:00:00:00:99" for fact in facts):
                raise KeyError("a defect")
            return book(tx, facts)

        site.process.books.book = fails_on_host_99
        other = await site.switch("127.0.0.3", nas_id="sw2", mac="02:00:00:00:00:99")
        await asyncio.gather(other.authenticate(seconds=0.3), switch.authenticate())
        await site.until(OrderState.CONFIRMED)
        assert site.process.stats()["process"]["defects"] >= 1


async def test_a_restored_database_is_read_anew() -> None:
    async with world() as site:
        await site.switch()
        await site.decide(Access.REMEDIATION)
        site.process.snapshot.sequence = 10_000
        site.ring()
        await asyncio.sleep(0.3)
        assert site.process.snapshot.sequence < 10_000
        assert site.process.snapshot.mac(TENANT, MAC).access is Access.REMEDIATION


async def test_orders_of_many_endpoints_go_out_at_once() -> None:
    async with world() as site:
        switch = await site.switch()
        macs = [Mac(f"02:00:00:00:01:{n:02x}") for n in range(100)]
        switch.obeys = False

        def begin(tx) -> None:
            for n, mac in enumerate(macs):
                tx.put(
                    Session(TENANT, "sw1", b"s%03d" % n, mac, port=str(n), ids={31: mac.encode()}),
                    MacAccess(TENANT, mac, HOST, Access.REMEDIATION, 1),
                    Order(
                        TENANT, f"order{n}", HOST, mac, Access.REMEDIATION, 1, OrderState.PLANNED, n, n,
                        nas_id="sw1", session=b"s%03d" % n,
                    ),
                )  # fmt: skip
                tx.note(TENANT, "access", mac)
                tx.note(TENANT, "order", f"order{n}")

        await site.store.write(begin)
        site.ring()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if site.process.desk.states() == {"acknowledged": 100}:
                break
        assert site.process.desk.states() == {"acknowledged": 100}
        assert len(switch.asked) == 100


class TestKilled:
    """The process is killed while a move is on its way; the switch asks again before the database is open again."""

    async def test_what_was_ordered_is_answered_from_the_file(self) -> None:
        async with world() as site:
            switch = await site.switch()
            await site.decide(Access.PRODUCTION)
            await switch.authenticate()
            await site.until(OrderState.CONFIRMED)
            switch.obeys = False
            await site.decide(Access.REMEDIATION)
            await site.soon(lambda: bool(switch.asked))

            site.store.away = True
            await site.restart(killed=True)
            assert (await switch.authenticate(seconds=0.1)).code == codec.ACCESS_ACCEPT
            assert switch.vlan == b"66", "the file had it before the CoA left"
            site.store.away = False
            await site.ready()
            switch.tasks.add(asyncio.ensure_future(switch.account(1)))
            await site.until(OrderState.CONFIRMED)
            assert len(switch.asked) == 1

    @pytest.mark.parametrize("booked", [True, False], ids=["the sending was booked", "the sending was not booked"])
    async def test_answered_from_an_old_file_it_is_moved_all_the_same(self, booked: bool) -> None:
        async with world() as site:
            switch = await site.switch()
            await site.decide(Access.PRODUCTION)
            await switch.authenticate()
            await site.until(OrderState.CONFIRMED)
            old = (site.data / "radius-snapshot").read_bytes()
            switch.obeys = False
            site.store.deaf = not booked
            await site.decide(Access.REMEDIATION)
            await site.soon(lambda: bool(switch.asked))
            if booked:
                await site.until(OrderState.ACKNOWLEDGED)

            site.store.away = True
            site.store.deaf = False
            (site.data / "radius-snapshot").write_bytes(old)
            await site.restart(killed=True)
            switch.obeys = True
            assert (await switch.authenticate(seconds=0.1)).code == codec.ACCESS_ACCEPT
            assert switch.vlan == b"10", "the old file says production"
            site.store.away = False
            await site.ready()
            assert await switch.account(2, session=b"00000001") is not None
            assert await switch.account(1) is not None
            await site.until(OrderState.CONFIRMED, seconds=8)
            assert switch.vlan == b"66"
            open_ones = [session.session for session in await site.sessions() if session.ended is None]
            assert open_ones == [switch.session]
