"""The core as dialogues: something happens, and this is what the agent does about it."""

from itertools import count
from typing import Any

import pytest

from health_agent.clock import ServiceClock
from health_agent.contract import Action, Answer, End, Execution, Kind, OrderNotice, Program, VerdictWord
from health_agent.core import Core
from health_agent.dialogue import (
    Answered,
    BaselineRead,
    Beat,
    Command,
    Ended,
    Failed,
    Forget,
    Located,
    Log,
    OrderDone,
    Remember,
    RenewDhcp,
    Restored,
    Send,
    Swept,
    TakeBack,
    Tick,
    Unwatch,
)
from health_agent.known import Known
from tests.unit.health_agent.makers import BAD, GOOD, OTHER, started, verdict

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


class Dialogue:
    """A core, with ids that count up: `e1`, `e2`, …"""

    def __init__(self, **more: Any) -> None:
        ids = count(1)
        self.core = Core(new_id=lambda: f"execution-{next(ids)}", **{"known": Known([GOOD]), **more})
        self.now = NOW
        self.tell(Tick())  # the first heartbeat

    def tell(self, event: Any) -> list[Command]:
        return self.core.handle(event, self.now)

    def answer(
        self, *verdicts: Any, orders: tuple[OrderNotice, ...] = (), told: tuple[str, ...] = (), beat: int = 30
    ) -> list[Command]:
        answer = Answer(id="message-1", service_us=self.now, verdicts=verdicts, orders=orders, heartbeat_s=beat)
        return [c for c in self.tell(Answered(answer, told)) if not isinstance(c, Log) or "answers" not in c.text]


def sent(commands: list[Command]) -> list[Execution | End]:
    return [item for command in commands if isinstance(command, Send) for item in command.items]


def reported(commands: list[Command]) -> Execution:
    (item,) = sent(commands)
    assert isinstance(item, Execution)
    return item


def test_an_unknown_program_is_reported_with_all_that_was_seen() -> None:
    dialogue = Dialogue()
    seen: dict[str, Any] = {
        "kind": Kind.SCRIPT,
        "size": 17,
        "user": "anna",
        "parents": (Program("/bin/bash", GOOD),),
        "interpreter": Program("/usr/bin/python3", GOOD),
    }
    execution = Execution(
        id="execution-1",
        path="/opt/program-1",
        pid=1001,
        started_us=1_000_000,
        sha256=BAD,
        sighting=True,
        alive_at_start=False,
        **seen,
    )
    assert dialogue.tell(started(1, **seen)) == [Send((execution,)), Remember(Restored("execution-1", 1001, 51, BAD))]


def test_a_program_of_the_baseline_is_never_reported() -> None:
    assert Dialogue().tell(started(1, GOOD)) == [Unwatch(1)]


def test_every_start_of_an_unknown_is_reported_but_only_the_first_is_a_sighting() -> None:
    dialogue = Dialogue()
    executions = [reported(dialogue.tell(started(token))) for token in (1, 2, 3)]
    assert [execution.sighting for execution in executions] == [True, False, False]
    assert len({execution.id for execution in executions}) == 3


def test_a_content_that_could_not_be_read_is_a_start_of_its_own_each_time() -> None:
    dialogue = Dialogue()
    assert [reported(dialogue.tell(started(token, None))).sighting for token in (1, 2)] == [True, True]


def test_an_allowed_program_is_not_reported_again_and_its_end_is_of_no_interest() -> None:
    dialogue = Dialogue()
    dialogue.tell(started(1))
    assert dialogue.answer(verdict(BAD, VerdictWord.ALLOWED)) == [Unwatch(1), Forget("execution-1")]
    assert dialogue.tell(Ended(1, NOW)) == []
    assert dialogue.tell(started(2)) == [Unwatch(2)]


@pytest.mark.parametrize("word", [VerdictWord.UNKNOWN, VerdictWord.DENIED, VerdictWord.GRACED, VerdictWord.UNJUDGEABLE])
def test_what_is_not_allowed_is_reported_at_each_start_and_end(word: VerdictWord) -> None:
    dialogue = Dialogue()
    dialogue.tell(started(1))
    assert dialogue.answer(verdict(BAD, word)) == []
    assert dialogue.tell(Ended(1, NOW + 5, uncertain=True)) == [
        Send((End("execution-1", NOW + 5, uncertain=True),)),
        Forget("execution-1"),
    ]
    assert not reported(dialogue.tell(started(2))).sighting


def test_an_end_is_told_once() -> None:
    dialogue = Dialogue()
    dialogue.tell(started(1))
    assert len(dialogue.tell(Ended(1, NOW))) == 2
    assert dialogue.tell(Ended(1, NOW)) == []


def test_an_allowance_that_is_bounded_ends_by_the_services_clock() -> None:
    clock = ServiceClock(offset_us=3600 * SECOND)  # the service is an hour ahead
    dialogue = Dialogue(clock=clock)
    dialogue.answer(verdict(BAD, VerdictWord.ALLOWED, until_us=NOW + 3600 * SECOND + 10))
    assert dialogue.tell(started(1)) == [Unwatch(1)]
    dialogue.now += 10
    assert reported(dialogue.tell(started(2))).sha256 == BAD


def test_what_the_service_denies_is_asked_anew_although_it_stands_in_the_baseline() -> None:
    dialogue = Dialogue()
    assert dialogue.answer(verdict(GOOD, VerdictWord.DENIED)) == [TakeBack(GOOD)]
    assert reported(dialogue.tell(started(1, GOOD))).sha256 == GOOD


def test_the_order_forget_drops_verdict_and_baseline_and_is_acknowledged_at_once() -> None:
    dialogue = Dialogue()
    order = OrderNotice("order-0001", Action.FORGET, GOOD)
    assert dialogue.answer(orders=(order,)) == [TakeBack(GOOD)]
    assert dialogue.core.next_wake() == 0
    assert dialogue.tell(Tick()) == [Beat(done=("order-0001",))]
    assert reported(dialogue.tell(started(1, GOOD)))


def test_an_order_is_carried_out_once_however_often_it_is_repeated() -> None:
    dialogue = Dialogue()
    order = OrderNotice("order-0001", Action.RENEW_DHCP)
    assert dialogue.answer(orders=(order,)) == [RenewDhcp("order-0001")]
    assert dialogue.answer(orders=(order,)) == []
    assert dialogue.tell(OrderDone("order-0001")) == [Beat(done=("order-0001",))]
    dialogue.now += 31 * SECOND
    assert dialogue.tell(Tick()) == [Beat(done=("order-0001",))], "not heard yet, so named again"
    dialogue.answer(told=("order-0001",))
    dialogue.now += 31 * SECOND
    assert dialogue.tell(Tick()) == [Beat()]


def test_an_order_that_this_agent_cannot_carry_out_is_refused_with_the_reason() -> None:
    dialogue = Dialogue()
    reason = "this agent only watches (operation notify); it cannot do 'isolate'"
    assert dialogue.answer(orders=(OrderNotice("order-0001", Action.ISOLATE),)) == [
        Log("warning", f"order order-0001 refused: {reason}")
    ]
    assert dialogue.tell(Tick()) == [Beat(refused=(("order-0001", reason),))]
    dialogue.answer(told=("order-0001", "order-of-a-former-run"))
    assert dialogue.tell(OrderDone("order-0002", "no DHCP client")) == [
        Beat(refused=(("order-0002", "no DHCP client"),))
    ]


def test_a_forget_without_a_hash_is_refused() -> None:
    dialogue = Dialogue()
    dialogue.answer(orders=(OrderNotice("order-0001", Action.FORGET),))
    assert dialogue.tell(Tick()) == [Beat(refused=(("order-0001", "the order 'forget' names no executable"),))]


def test_heartbeats_come_as_often_as_the_service_says_within_reason() -> None:
    dialogue = Dialogue()
    assert dialogue.core.next_wake() == NOW + 30 * SECOND
    dialogue.answer(beat=5)
    assert dialogue.core.next_wake() == NOW + 5 * SECOND
    assert dialogue.tell(Tick()) == []
    dialogue.now += 5 * SECOND
    assert dialogue.tell(Tick()) == [Beat()]
    dialogue.answer(beat=-7)
    assert dialogue.core.next_wake() == dialogue.now + SECOND


def test_a_clock_that_was_set_back_does_not_silence_the_heartbeat() -> None:
    dialogue = Dialogue()
    dialogue.now -= 86_400 * SECOND
    assert dialogue.tell(Tick()) == [Beat()]


def test_a_failure_is_logged_once_until_the_service_answers_again() -> None:
    dialogue = Dialogue()
    assert dialogue.tell(Failed("nobody there")) == [Log("warning", "nobody there")]
    assert dialogue.tell(Failed("nobody there")) == []
    assert dialogue.core.connected is False
    dialogue.answer()
    assert dialogue.core.connected is True
    assert dialogue.tell(Failed("gone again")) == [Log("warning", "gone again")]


def test_what_was_alive_before_the_agent_is_reported_once_as_such() -> None:
    dialogue = Dialogue()
    assert reported(dialogue.tell(started(1, alive_at_start=True))).alive_at_start
    assert dialogue.tell(started(2, pid=1001, birth=51, alive_at_start=True)) == [Unwatch(2)], (
        "the same process, met twice"
    )
    assert dialogue.tell(Swept()) == []


def test_a_program_that_outlived_the_agent_keeps_its_execution() -> None:
    dialogue = Dialogue(restored=[Restored("before-1", 1001, 51, BAD)])
    assert dialogue.tell(started(1, alive_at_start=True)) == []
    assert dialogue.tell(Swept()) == []
    assert dialogue.tell(Ended(1, NOW)) == [Send((End("before-1", NOW),)), Forget("before-1")]


def test_a_program_that_ended_while_no_agent_was_there_ended_at_the_latest_now() -> None:
    dialogue = Dialogue(restored=[Restored("before-1", 1001, 51, BAD), Restored("before-2", 1002, 52, None)])
    commands = dialogue.tell(Swept())
    assert sent(commands) == [End("before-1", NOW, uncertain=True), End("before-2", NOW, uncertain=True)]
    assert commands[1:] == [Forget("before-1"), Forget("before-2")]
    assert dialogue.tell(Swept()) == []


def test_a_reused_pid_is_another_program() -> None:
    dialogue = Dialogue(restored=[Restored("before-1", 1001, 49, BAD)])
    assert reported(dialogue.tell(started(1, alive_at_start=True)))
    assert sent(dialogue.tell(Swept())) == [End("before-1", NOW, uncertain=True)]


def test_the_same_process_may_start_the_same_program_again() -> None:
    dialogue = Dialogue()
    first, second = (reported(dialogue.tell(started(token, pid=7, birth=7))) for token in (1, 2))
    assert [sent(dialogue.tell(Ended(token, NOW))) for token in (1, 2)] == [[End(first.id, NOW)], [End(second.id, NOW)]]


def test_a_new_baseline_takes_the_place_of_the_old_one() -> None:
    dialogue = Dialogue()
    assert dialogue.tell(BaselineRead((OTHER,))) == [Log("info", "the baseline has 1 executables")]
    assert dialogue.tell(started(1, OTHER)) == [Unwatch(1)]
    assert reported(dialogue.tell(started(2, GOOD)))


def test_memory_is_bounded() -> None:
    dialogue = Dialogue(remember=3)
    for token in range(5):
        dialogue.tell(started(token, f"{token:064x}"))
    assert not reported(dialogue.tell(started(8, f"{4:064x}"))).sighting
    assert not reported(dialogue.tell(started(7, f"{2:064x}"))).sighting, "the last three are remembered"
    assert reported(dialogue.tell(started(9, f"{0:064x}"))).sighting, (
        "forgotten, so a sighting again: the service knows better"
    )


def test_an_allowance_touches_only_its_own_executable() -> None:
    dialogue = Dialogue()
    dialogue.tell(started(1, BAD))
    dialogue.tell(started(2, OTHER))
    dialogue.answer(verdict(BAD, VerdictWord.ALLOWED))
    assert dialogue.core.alive == 1
    assert sent(dialogue.tell(Ended(2, NOW))) == [End("execution-2", NOW)]


def test_a_forget_of_what_was_never_known_takes_nothing_back() -> None:
    dialogue = Dialogue()
    assert dialogue.answer(orders=(OrderNotice("order-0001", Action.FORGET, BAD),)) == []
    assert dialogue.tell(Tick()) == [Beat(done=("order-0001",))]


def test_of_the_orders_taken_the_newest_are_remembered() -> None:
    dialogue = Dialogue(remember=2)
    for number in (1, 2, 3):
        dialogue.answer(orders=(OrderNotice(f"order-{number:04d}", Action.RENEW_DHCP),))
    again = tuple(OrderNotice(f"order-{number:04d}", Action.RENEW_DHCP) for number in (3, 2, 1))
    assert dialogue.answer(orders=again) == [RenewDhcp("order-0001")]


def test_one_answer_may_bring_several_verdicts_and_orders_and_all_are_carried_out_in_turn() -> None:
    dialogue = Dialogue()
    dialogue.tell(started(1, BAD))
    dialogue.tell(started(2, BAD))
    orders = (OrderNotice("order-0001", Action.RENEW_DHCP), OrderNotice("order-0002", Action.FORGET, GOOD))
    answer = Answer(
        id="message-1",
        service_us=NOW,
        verdicts=(verdict(GOOD, VerdictWord.ALLOWED), verdict(BAD, VerdictWord.ALLOWED)),
        orders=orders,
        heartbeat_s=30,
    )
    assert dialogue.tell(Answered(answer)) == [
        Log("info", "the policy service answers"),
        *(Unwatch(1), Forget("execution-1"), Unwatch(2), Forget("execution-2")),
        *(RenewDhcp("order-0001"), TakeBack(GOOD)),
    ]


def test_an_order_that_is_still_under_way_hurries_no_heartbeat_and_one_that_is_asked_again_though_done_does() -> None:
    dialogue = Dialogue()
    order = OrderNotice("order-0001", Action.RENEW_DHCP)
    dialogue.answer(orders=(order,))
    assert dialogue.core.next_wake() == NOW + 30 * SECOND
    dialogue.tell(OrderDone("order-0001"))
    dialogue.answer(orders=(order,))
    assert dialogue.core.next_wake() == NOW + SECOND


def test_an_endpoint_that_was_plugged_in_elsewhere_says_so_within_a_second() -> None:
    dialogue = Dialogue()
    assert dialogue.tell(Located()) == []
    assert dialogue.core.next_wake() == NOW + SECOND


def test_who_was_plugged_in_elsewhere_says_so_within_a_second_but_not_at_each_frame() -> None:
    dialogue = Dialogue()
    dialogue.tell(Tick())
    later = dialogue.core.next_wake()
    dialogue.tell(Located())
    due = dialogue.core.next_wake()
    assert NOW < due <= NOW + 1_000_000 < later
    assert dialogue.tell(Located()) == []
    assert dialogue.core.next_wake() == due
