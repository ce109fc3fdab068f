"""The worker with channels that take or fail as told: nothing lost, nothing told twice, and it says so."""

from dataclasses import replace
from typing import Any

import pytest

from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.joining import SETTLE
from api.alerts.render import subject
from api.alerts.worker import POLL_S, Figures, Worker
from api.config import Config
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Cursor,
    Delivery,
    Escalation,
    Event,
    EventKind,
    Setting,
    Severity,
)

pytestmark = pytest.mark.anyio
MINUTE = 60 * SECOND
BOTH = {"routes": [{"name": "all", "channels": ["mail", "phone"]}]}


@pytest.fixture
def mail(receiver: Any) -> Any:
    return receiver()


@pytest.fixture
def phone(receiver: Any) -> Any:
    return receiver()


@pytest.fixture
def worker(office: Any, config: Config, clock: Any, mail: Any, phone: Any) -> Worker:
    return Worker(office.store, config, clock, Figures(), {"mail": mail, "phone": phone})


def set_alerts(office: Any, value: dict[str, Any], version: int = 1) -> None:
    with office.store.transaction() as tx:
        tx.put(Setting(DEFAULT_TENANT, "alerts", value, version, "test", 0))


async def settle(worker: Worker) -> None:
    """Rounds until nothing is left to do, the wait of a first message included."""
    for wait in (0, SETTLE, 0):
        worker._clock.now += wait  # type: ignore[attr-defined]
        for _ in range(200):
            if not await worker.round():
                break
        else:
            raise AssertionError("the worker does not come to rest")


def stored(office: Any) -> list[Delivery]:
    found: list[Delivery] = office.store.reading().find(Delivery, tenant=DEFAULT_TENANT, order="created")
    return found


async def test_an_alert_counts_as_waiting_until_its_channel_has_taken_it(
    office: Any, worker: Worker, mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash while a message is on the wire sends it again; the other order would lose it."""
    seen: list[str] = []
    take = mail.send

    async def watched(alert: Any) -> str:
        seen.extend(each.state for each in stored(office))
        note: str = await take(alert)
        return note

    monkeypatch.setattr(mail, "send", watched)
    office.runs(17)
    await settle(worker)
    assert seen == ["waiting"]
    assert [each.state for each in stored(office)] == ["sent"]


async def test_a_first_run_is_told_at_once_with_what_where_how_and_what_was_done(
    office: Any, worker: Worker, mail: Any
) -> None:
    office.runs(17)
    await settle(worker)
    [alert] = mail.taken
    [place] = alert.places
    assert (place.host, place.user, place.switch, place.port) == ("PC-0017", "anna", "Switch 1", "Gi1/0/17")
    assert place.macs == ("02:00:00:00:00:11",)
    assert place.parents == ("/usr/bin/thunderbird (anna)", "/usr/lib/systemd/systemd")
    assert place.done == "ordered to remediation: sent to the switch, no answer yet"
    assert alert.program.name == "invoice.exe"
    assert [label for label, _ in alert.actions] == ["Allow it", "Deny it", "Release the host"]


async def test_1500_hosts_in_ten_minutes_are_one_mail_at_once_and_at_most_four_updates_that_name_all(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    start = clock.now
    for number in range(1, 1501):
        clock.now = start + number * 10 * MINUTE // 1501
        office.runs(number, at=clock.now)
        if number % 50 == 1:
            await settle(worker)
            assert mail.taken, "the first is told before the second round"
    await settle(worker)
    clock.now = start + 30 * MINUTE
    await settle(worker)
    assert mail.taken[0].hosts == 1
    assert 1 <= len(mail.taken) - 1 <= 4
    named = [place.host for alert in mail.taken for place in alert.places]
    named += [name for alert in mail.taken for name in alert.further]
    assert sorted(named) == [f"PC-{number:04}" for number in range(1, 1501)]
    assert len({alert.conversation for alert in mail.taken}) == 1


async def test_while_the_mail_server_is_away_nothing_is_lost_and_the_console_can_show_it(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    mail.fails = ChannelDown("mail server 127.0.0.1:25 cannot be reached")
    office.runs(1)
    await settle(worker)
    [waiting] = stored(office)
    assert (waiting.state, waiting.error) == ("waiting", "mail server 127.0.0.1:25 cannot be reached")
    kinds = [event.kind for event in office.store.reading().find(Event, tenant=DEFAULT_TENANT)]
    assert EventKind.CHANNEL_FAILED in kinds
    mail.fails = None
    clock.now += 2 * SECOND
    await settle(worker)
    assert [alert.places[0].host for alert in mail.taken] == ["PC-0001"]
    assert EventKind.CHANNEL_BACK in [e.kind for e in office.store.reading().find(Event, tenant=DEFAULT_TENANT)]


async def test_a_failing_channel_is_asked_with_growing_pauses_not_once_per_waiting_message(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    mail.fails = ChannelDown("away")
    for number in range(30):
        office.runs(number, sha=f"{number:064x}")
    for _ in range(40):
        await settle(worker)
        clock.now += SECOND // 4
    assert worker.figures.failed.labels("mail", "down")._value.get() <= 4


async def test_the_next_channel_takes_over_and_the_message_says_why(
    office: Any, worker: Worker, mail: Any, phone: Any, clock: Any
) -> None:
    set_alerts(office, BOTH)
    mail.fails = ChannelDown("no answer")
    office.runs(1)
    for _ in range(40):
        await settle(worker)
        clock.now += SECOND
    [alert] = phone.taken
    assert alert.failed == ("mail: no answer",)
    assert [delivery.state for delivery in stored(office)] == ["sent"]


async def test_once_a_channel_is_known_to_be_down_later_messages_take_the_next_one_at_once(
    office: Any, worker: Worker, mail: Any, phone: Any, clock: Any
) -> None:
    set_alerts(office, BOTH)
    mail.fails = ChannelDown("no answer")
    office.runs(1)
    for _ in range(40):
        await settle(worker)
        clock.now += SECOND
    office.runs(2, sha="b" * 64)
    await settle(worker)
    assert [alert.places[0].host for alert in phone.taken] == ["PC-0001", "PC-0002"]


async def test_a_refused_message_goes_to_the_next_channel_at_once(
    office: Any, worker: Worker, mail: Any, phone: Any
) -> None:
    set_alerts(office, BOTH)
    mail.fails = ChannelRefused("550 no such user")
    office.runs(1)
    await settle(worker)
    assert len(phone.taken) == 1


async def test_a_defect_in_one_channel_silences_neither_worker_nor_message(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    mail.fails = KeyError("surprise")
    office.runs(1)
    await settle(worker)
    assert stored(office)[0].error == "defect: KeyError: 'surprise'"
    mail.fails = None
    clock.now += 2 * SECOND
    await settle(worker)
    assert len(mail.taken) == 1


async def test_a_worker_that_starts_again_tells_nothing_twice(
    office: Any, worker: Worker, mail: Any, config: Config, clock: Any
) -> None:
    office.runs(1)
    await settle(worker)
    again = Worker(office.store, config, clock, Figures(), {"mail": mail})
    await settle(again)
    assert len(mail.taken) == 1


async def test_a_message_interrupted_between_sending_and_writing_is_sent_again_with_the_same_id(
    office: Any, worker: Worker, mail: Any, config: Config, clock: Any
) -> None:
    office.runs(1)
    await settle(worker)
    [delivery] = stored(office)
    with office.store.transaction() as tx:  # as if the process had died before the result was on disk
        tx.put(Delivery(**{name: getattr(delivery, name) for name in delivery.__slots__} | {"state": "waiting"}))
    await settle(Worker(office.store, config, clock, Figures(), {"mail": mail}))
    assert len({alert.message_id for alert in mail.taken}) == 1
    assert len(mail.taken) == 2


async def test_a_denied_run_in_a_young_conversation_is_told_at_once(office: Any, worker: Worker, mail: Any) -> None:
    office.runs(1)
    await settle(worker)
    office.runs(2, kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
    await settle(worker)
    assert [alert.kind for alert in mail.taken] == [EventKind.UNKNOWN_RAN, EventKind.DENIED_RAN]
    assert mail.taken[0].conversation == mail.taken[1].conversation


async def test_nobody_acknowledges_an_urgent_alert_so_the_next_person_gets_it_until_somebody_does(
    office: Any, worker: Worker, mail: Any, phone: Any, clock: Any
) -> None:
    set_alerts(
        office, {"routes": [{"name": "all", "channels": ["mail"], "people": ["anna"]}], "people": {"anna": ["phone"]}}
    )
    office.runs(1, kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
    await settle(worker)
    [first] = mail.taken
    assert next(label for label, _ in first.actions) == "I have it"
    assert phone.taken == []
    clock.now += 16 * MINUTE
    await settle(worker)
    [called] = phone.taken
    assert "told 2 times: anna" in called.unanswered[0]
    assert subject(called).startswith("URGENT, not acknowledged: Denied executable ran on PC-0001")
    assert called.conversation == first.conversation
    assert worker.figures.escalated._value.get() == 1
    acknowledge_all(office, clock)
    clock.now += 600 * MINUTE
    await settle(worker)
    assert (len(mail.taken), len(phone.taken)) == (1, 1)


async def test_several_unanswered_alerts_come_in_one_message(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    for number in range(5):
        office.runs(number, sha=f"{number:064x}", kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
    await settle(worker)
    assert len(mail.taken) == 5
    clock.now += 16 * MINUTE
    await settle(worker)
    assert len(mail.taken) == 6
    assert subject(mail.taken[-1]) == "URGENT: nobody has acknowledged 5 urgent alerts"
    assert len(mail.taken[-1].unanswered) == 5


async def test_what_is_acknowledged_while_its_reminder_waits_is_not_sent(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    office.runs(1, kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
    await settle(worker)
    mail.fails = ChannelDown("away")
    clock.now += 16 * MINUTE
    await settle(worker)
    acknowledge_all(office, clock)
    mail.fails = None
    clock.now += 20 * MINUTE
    await settle(worker)
    assert len(mail.taken) == 1
    assert stored(office)[-1].error == "not sent: it was acknowledged or decided meanwhile"


def acknowledge_all(office: Any, clock: Any) -> None:
    with office.store.transaction() as tx:
        for matter in tx.find(Escalation, tenant=DEFAULT_TENANT, state="open"):
            tx.put(replace(matter, state="acknowledged", ended=clock.now, by="otto"))


async def test_wrong_settings_keep_the_former_routes(office: Any, worker: Worker, mail: Any) -> None:
    set_alerts(office, {"routes": [{"name": "all", "chanels": ["mail"]}]})
    office.runs(1)
    await settle(worker)
    assert len(mail.taken) == 1


async def test_a_message_whose_channel_was_taken_out_of_the_configuration_takes_the_next(
    office: Any, config: Config, clock: Any, mail: Any, phone: Any
) -> None:
    set_alerts(office, BOTH)
    mail.fails = ChannelDown("away")
    office.runs(1)
    await settle(Worker(office.store, config, clock, Figures(), {"mail": mail, "phone": phone}))
    clock.now += 2 * SECOND
    await settle(Worker(office.store, config, clock, Figures(), {"phone": phone}))
    assert phone.taken[0].failed == ("mail: no such channel is configured any more",)


async def test_without_any_channel_what_needs_a_person_is_counted(office: Any, config: Config, clock: Any) -> None:
    worker = Worker(office.store, config, clock, Figures(), {})
    office.runs(1)
    await settle(worker)
    assert worker.figures.unrouted._value.get() == 1
    assert stored(office) == []


async def test_an_idle_worker_does_not_write(office: Any, worker: Worker) -> None:
    with office.store.transaction() as tx:
        tx.note(DEFAULT_TENANT, "host", "h1")
    await settle(worker)
    assert office.store.reading().get(Cursor, DEFAULT_TENANT, "alerts") is None


async def test_the_same_executable_again_on_the_same_host_is_not_told_again(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    office.runs(1, at=clock.now)
    await settle(worker)
    clock.now += 20 * MINUTE
    office.runs(1, at=clock.now)
    await settle(worker)
    assert len(mail.taken) == 1
    assert worker.figures.repeats._value.get() == 1


async def test_it_sleeps_to_the_moment_when_the_next_message_is_due_and_no_longer_than_a_poll(
    office: Any, worker: Worker, mail: Any, clock: Any
) -> None:
    await worker.round()
    assert worker.rest == POLL_S
    office.runs(1, at=clock.now)
    while await worker.round():
        pass
    clock.now += SETTLE - SECOND // 20
    await worker.round()
    assert worker.rest == pytest.approx(0.05)
    clock.now += SECOND // 20
    await worker.round()
    assert len(mail.taken) == 1


async def test_a_message_that_waits_for_a_failing_channel_keeps_nobody_busy(
    office: Any, worker: Worker, mail: Any
) -> None:
    mail.fails = ChannelDown("away")
    office.runs(1)
    await settle(worker)
    worker._clock.now += SECOND * 2  # type: ignore[attr-defined]
    await worker.round()
    assert worker.rest == POLL_S
