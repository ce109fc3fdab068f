"""Digests are sent once each, whatever stops the service, and say nothing when there is nothing to say."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.alerts.joining import SETTLE
from api.alerts.render import brief, render
from api.alerts.worker import Figures, Worker
from api.config import Config
from radius_policy.model import DEFAULT_TENANT, SECOND, Cursor, Delivery, Event, EventKind, HostId, Setting, Severity

pytestmark = pytest.mark.anyio
T = DEFAULT_TENANT
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600 * SECOND


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * SECOND


def happens(office: Any, when: int, text: str = "PC-1 was cleared by otto") -> None:
    with office.store.transaction() as tx:
        tx.put(Event(T, f"cleared-{when}", when, EventKind.CLEARED, Severity.INFO, "h", text, HostId("h")))


def set_alerts(office: Any, value: dict[str, Any]) -> None:
    with office.store.transaction() as tx:
        tx.put(Setting(T, "alerts", value, 1, "test", 0))


@pytest.fixture
def mail(receiver: Any) -> Any:
    return receiver()


@pytest.fixture
def worker(office: Any, config: Config, clock: Any, mail: Any) -> Worker:
    clock.now = at("2026-11-18T12:00")
    return Worker(office.store, config, clock, Figures(), {"mail": mail})


async def rounds(worker: Worker, clock: Any, until: int, step: int = 1800 * SECOND) -> None:
    while clock.now < until:
        clock.now = min(clock.now + step, until)
        for _ in range(20):
            if not await worker.round():
                break
        clock.now += SETTLE
        await worker.round()


async def test_the_daily_digest_of_yesterday_comes_at_seven_and_once(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    await worker.round()
    happens(office, at("2026-11-18T13:00"))
    await rounds(worker, clock, at("2026-11-19T06:55"))
    assert mail.taken == []
    await rounds(worker, clock, at("2026-11-19T07:05"))
    [alert] = mail.taken
    assert alert.digest.happenings[0].texts == ("PC-1 was cleared by otto",)
    assert render(alert).subject == "Daily digest, Wednesday 18 November 2026: 1 other events"
    await rounds(worker, clock, at("2026-11-20T06:00"))
    assert len(mail.taken) == 1


async def test_a_day_on_which_nothing_happened_sends_no_daily_digest_but_the_week_is_told(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    await worker.round()
    await rounds(worker, clock, at("2026-11-23T12:00"), 2 * HOUR)
    assert [alert.digest.name for alert in mail.taken] == ["weekly"]
    assert mail.taken[0].digest.empty
    assert "Nothing happened" in render(mail.taken[0]).text
    assert "nothing happened" in render(mail.taken[0]).html
    notes = [d.error for d in office.store.reading().find(Delivery, tenant=T, kind="digest") if "daily" in d.topic]
    assert set(notes) == {"not sent: there is nothing to say"}


async def test_restarts_at_any_moment_send_each_digest_once(office: Any, config: Config, mail: Any, clock: Any) -> None:
    clock.now = at("2026-11-18T12:00")
    for hour in range(24 * 6):
        happens(office, clock.now + 1, f"event {hour}")
        worker = Worker(office.store, config, clock, Figures(), {"mail": mail})
        await worker.round()
        clock.now += SETTLE
        await worker.round()
        clock.now += HOUR
    daily = [alert.digest for alert in mail.taken if alert.digest.name == "daily"]
    assert [d.begin for d in daily] == sorted({d.begin for d in daily})
    assert all(a.end == b.begin for a, b in pairwise(daily))
    assert len(daily) == 6


async def test_a_service_that_was_off_for_days_sends_one_digest_of_all_of_them(
    office: Any, worker: Worker, mail: Any, clock: Any, config: Config
) -> None:
    await worker.round()
    happens(office, at("2026-11-18T13:00"))
    happens(office, at("2026-11-20T13:00"), "PC-2 was cleared by otto")
    clock.now = at("2026-11-21T10:00")
    again = Worker(office.store, config, clock, Figures(), {"mail": mail})
    await rounds(again, clock, clock.now + 60 * SECOND)
    [alert] = mail.taken
    assert alert.digest.happenings[0].count == 2
    assert alert.digest.span == "Wednesday 18 November 2026 to Friday 20 November 2026"


async def test_a_digest_that_was_interrupted_is_sent_again_with_the_same_id(
    office: Any, worker: Worker, mail: Any, clock: Any, config: Config
) -> None:
    await worker.round()
    happens(office, at("2026-11-18T13:00"))
    await rounds(worker, clock, at("2026-11-19T08:00"))
    with office.store.transaction() as tx:
        [sent] = tx.find(Delivery, tenant=T, kind="digest")
        tx.put(replace(sent, state="waiting"))
    await rounds(Worker(office.store, config, clock, Figures(), {"mail": mail}), clock, clock.now + SECOND)
    assert len(mail.taken) == 2
    assert len({alert.message_id for alert in mail.taken}) == 1


async def test_without_a_channel_it_is_in_the_console_alone_and_not_sent_later(
    office: Any, config: Config, mail: Any, clock: Any
) -> None:
    clock.now = at("2026-11-18T12:00")
    bare = Worker(office.store, config, clock, Figures(), {})
    await bare.round()
    happens(office, at("2026-11-18T13:00"))
    await rounds(bare, clock, at("2026-11-19T08:00"))
    assert office.store.reading().find(Delivery, tenant=T, kind="digest") == []
    assert office.store.reading().get(Cursor, T, "digest:daily").sequence == at("2026-11-19T00:00")


async def test_null_makes_no_digest(office: Any, worker: Worker, mail: Any, clock: Any) -> None:
    set_alerts(office, {"digest": {"daily": None, "weekly": None}})
    happens(office, at("2026-11-18T13:00"))
    await rounds(worker, clock, at("2026-11-24T08:00"), 6 * HOUR)
    assert mail.taken == []


async def test_in_a_chat_a_digest_is_a_line_and_a_link(office: Any, worker: Worker, mail: Any, clock: Any) -> None:
    await worker.round()
    happens(office, at("2026-11-18T13:00"))
    await rounds(worker, clock, at("2026-11-19T08:00"))
    title, text = brief(mail.taken[0])
    assert title.startswith("Daily digest")
    assert text.endswith("/console/digest/daily")
