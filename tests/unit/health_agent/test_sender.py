"""When to say what: retries, backoff, clock skew, records that do not fit."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from health_agent import sender as module
from health_agent.clock import ServiceClock
from health_agent.contract import Answer, Heartbeat, Operation, Report, Sensor, Signed
from health_agent.dialogue import Answered, Event, Failed
from health_agent.outbox import Outbox
from health_agent.sender import Backoff, Envelope, Sender
from health_agent.spool import Spool
from health_agent.uplink import ClockSkew, NotReady, Refused, Unreachable
from tests.unit.health_agent.makers import end, execution

NOW = 1_700_000_000_000_000


class Link:
    """An uplink that answers by a script: exceptions are raised in turn, then everything is acknowledged."""

    def __init__(self) -> None:
        self.script: list[Exception] = []
        self.refuse: Callable[[Signed], Exception | None] = lambda message: None
        self.sent: list[Signed] = []
        self.resets = 0
        self.closed = False

    def send(self, message: Signed, ready: Callable[[], bool] = lambda: True) -> Answer:
        if not ready():
            raise NotReady
        self.sent.append(message)
        if self.script:
            raise self.script.pop(0)
        if error := self.refuse(message):
            raise error
        return Answer(id=message.id, service_us=message.clock_us + message.offset_us)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True

    @property
    def reports(self) -> list[Report]:
        return [message for message in self.sent if isinstance(message, Report)]


class Rig:
    def __init__(self, tmp_path: Path) -> None:
        self.link = Link()
        self.told: list[Event] = []
        self.counts: Counter[str] = Counter()
        self.clock = ServiceClock()
        self.spool = Spool(tmp_path / "spool")
        self.outbox = Outbox(self.spool, tmp_path / "refused", self.counts)
        ids = count(1)
        self.sender = Sender(
            self.link,  # type: ignore[arg-type]
            self.outbox,
            Envelope("host-0001", lambda: f"message-{next(ids)}", lambda: NOW, self.clock, self._beat),
            self.told.append,
            Backoff(lambda: 0.0, first=0.02, most=0.1),
        )
        self.sender.start()

    @staticmethod
    def _beat(message: str, clock: int, offset: int, done: Any, refused: Any) -> Heartbeat:
        return Heartbeat(
            host_id="host-0001", id=message, clock_us=clock, offset_us=offset, agent_version="0.1",
            sensor=Sensor.POLLING, operation=Operation.NOTIFY, ack_orders=done, refused_orders=dict(refused),
        )  # fmt: skip

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, (self.link.sent, self.told)
            time.sleep(0.005)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.01)
    made = Rig(tmp_path)
    yield made
    made.link.script.clear()
    made.link.refuse = lambda message: None
    made.sender.stop(1)
    assert not made.sender.is_alive()
    assert made.link.closed
    made.spool.close()


def test_what_is_put_in_the_outbox_is_sent_and_settled(rig: Rig) -> None:
    rig.outbox.put((execution(1), end(1)), NOW - 7)
    rig.until(lambda: rig.told)
    (sent,) = rig.link.reports
    assert (sent.executions, sent.ends, sent.spooled_us) == ((execution(1),), (end(1),), 7)
    assert isinstance(rig.told[0], Answered)
    rig.until(lambda: len(rig.outbox) == 0)


def test_a_retry_has_the_same_id_and_content(rig: Rig) -> None:
    rig.link.script = [Unreachable("away"), Unreachable("away")]
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: len(rig.outbox) == 0)
    assert [(sent.id, sent.executions) for sent in rig.link.reports] == [("message-1", (execution(1),))] * 3
    assert [type(event) for event in rig.told] == [Failed, Failed, Answered]


def test_what_is_new_during_a_failure_waits_for_its_own_message(rig: Rig) -> None:
    rig.link.script = [Unreachable("away")] * 3
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: rig.link.sent)
    rig.outbox.put((execution(2),), NOW)
    rig.until(lambda: len(rig.outbox) == 0)
    contents = {sent.id: sent.executions for sent in rig.link.reports}
    assert list(contents.values()) == [(execution(1),), (execution(2),)], "an id never means two contents"


@pytest.mark.parametrize("skew", [86_400_000_000, -86_400_000_000])
def test_a_clock_skew_is_learned_and_the_message_made_anew(rig: Rig, skew: int) -> None:
    rig.link.script = [ClockSkew("off", NOW + skew)]
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: len(rig.outbox) == 0)
    first, second = rig.link.reports
    assert (second.offset_us, second.executions) == (skew, first.executions)
    assert second.id != first.id
    assert not [event for event in rig.told if isinstance(event, Failed)]


def test_a_service_that_calls_every_clock_wrong_is_not_hammered(rig: Rig) -> None:
    rig.link.refuse = lambda message: ClockSkew("off", NOW)
    rig.outbox.put((execution(1),), NOW)
    time.sleep(0.2)
    assert len(rig.link.sent) < 30
    assert isinstance(rig.told[0], Failed)


def test_a_refusal_waits_its_minute_and_new_starts_do_not_shorten_it(rig: Rig) -> None:
    rig.link.refuse = lambda message: Refused("no", 403)
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: rig.told)
    rig.outbox.put((execution(2),), NOW)
    time.sleep(0.1)
    assert len(rig.link.sent) == 1
    rig.link.refuse = lambda message: None
    rig.sender.network_changed()
    rig.until(lambda: len(rig.outbox) == 0)
    assert rig.link.resets == 1


def test_one_record_that_does_not_fit_is_found_and_set_aside(rig: Rig) -> None:
    bad = execution(13)
    rig.link.refuse = lambda message: (
        Refused("too odd", 400) if isinstance(message, Report) and bad in message.executions else None
    )
    rig.outbox.put(tuple(execution(number) for number in range(40)), NOW)
    rig.until(lambda: len(rig.outbox) == 0)
    assert rig.counts["refused_records"] == 1
    heard = {e.id for sent in rig.link.reports for e in sent.executions if bad not in sent.executions}
    assert heard == {execution(number).id for number in range(40)} - {bad.id}
    assert [event for event in rig.told if isinstance(event, Failed)] == [Failed("one record was set aside: too odd")]


def test_a_heartbeat_names_the_orders_and_the_core_hears_which_were_told(rig: Rig) -> None:
    rig.sender.beat(("order-0001",), (("order-0002", "cannot"),))
    rig.until(lambda: rig.told)
    (beat,) = rig.link.sent
    assert isinstance(beat, Heartbeat)
    assert (beat.ack_orders, beat.refused_orders) == (("order-0001",), {"order-0002": "cannot"})
    assert isinstance(rig.told[0], Answered)
    assert rig.told[0].told == ("order-0001", "order-0002")


def test_a_heartbeat_is_tried_until_it_is_heard(rig: Rig) -> None:
    rig.link.script = [Unreachable("away")] * 2
    rig.sender.beat((), ())
    rig.until(lambda: any(isinstance(event, Answered) for event in rig.told))
    assert len(rig.link.sent) == 3


def test_reports_go_before_heartbeats(tmp_path: Path, rig: Rig) -> None:
    rig.link.script = [Unreachable("away")]
    rig.sender.beat((), ())
    rig.until(lambda: rig.link.sent)
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: len(rig.told) == 3)
    assert [type(message) for message in rig.link.sent[1:]] == [Report, Heartbeat]


def test_a_full_disk_during_a_message_makes_it_anew_from_memory(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from health_agent import spool

    def fails(file: int) -> None:
        time.sleep(0.05)  # the sender makes the message meanwhile
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "fdatasync", fails)
    rig.outbox.put((execution(1),), NOW)
    rig.until(lambda: len(rig.outbox) == 0)
    assert [sent.executions for sent in rig.link.reports] == [(execution(1),)]
    assert rig.counts == {"spool_full": 1}


def test_stopping_sends_what_is_there_but_not_for_ever(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.outbox.put(tuple(execution(number) for number in range(3)), NOW)
    rig.sender.stop(2)
    assert len(rig.outbox) == 0
    stuck = Rig(tmp_path / "stuck")
    stuck.link.refuse = lambda message: Unreachable("away")
    stuck.outbox.put((execution(1),), NOW)
    started = time.monotonic()
    stuck.sender.stop(0.2)
    assert not stuck.sender.is_alive()
    assert time.monotonic() - started < 1.5
    assert len(stuck.outbox) == 1, "kept for the next run"
    rig.spool.close()
    stuck.spool.close()


def test_waiting_times_double_up_to_a_limit_and_are_spread() -> None:
    short, long = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert [round(short.wait(), 3) for _ in range(9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0]
    assert [round(long.wait(), 3) for _ in range(9)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    long.reset()
    assert long.wait() == 0.2
