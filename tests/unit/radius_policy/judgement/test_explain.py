"""Why: chains of reasons that a person can follow, with the conditions that failed and by how much."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from radius_policy.grace import parse
from radius_policy.judgement.explain import MOST, NothingKnown, find_host, why
from radius_policy.judgement.trips import answer, trips
from radius_policy.model import (
    Access,
    AgentOrder,
    BreakerTrip,
    Event,
    Executable,
    Execution,
    GraceSlot,
    Host,
    HostExecutable,
    HostId,
    HostState,
    ListEntry,
    ListKind,
    Mac,
    Order,
    OrderState,
    Outcome,
    ParentRef,
    Posture,
    PostureReason,
    Prevalence,
    Reason,
    Setting,
    Severity,
    TenantId,
    VerdictWord,
)
from tests.world import DAY, HOUR, MINUTE, START, T, World, sha


@pytest.fixture
def world() -> World:
    world = World()
    world.host("pc")
    world.start("pc", "N", r"C:\Users\ann\Downloads\n.exe", user="ann")
    return world


def told(world: World, subject: str, at: int | None = None) -> str:
    return why(world.store.reading(), world.policy, subject, now=world.now, at=at).words()


def test_a_trip_and_what_was_said_about_it_are_told(world: World) -> None:
    for host in world.hosts(4):
        world.start(host, "N")
    with world.store.transaction() as tx:
        [trip] = trips(tx, T, world.now)
        answer(tx, trip, "keep", author="ann", now=world.now)
    assert "containment: limit of 3 hosts reached" in told(world, sha("N"))
    assert "; ann said: keep" in told(world, sha("N"))


def test_a_moved_host_is_explained_from_its_access_down_to_the_rules_that_missed(world: World) -> None:
    words = told(world, "pc")
    assert "access: remediation" in words
    assert "access row 6, move-outstanding" in words
    assert "posture: potential_problem" in words
    assert r"C:\Users\ann\Downloads\n.exe on pc by ann" in words
    assert "same-signer-new-version misses: signer.state is valid: is missing" in words
    assert "move: to remediation" in words


def test_an_executable_is_found_by_eight_digits_and_says_where_it_ran(world: World) -> None:
    words = told(world, sha("N")[:8])
    assert "first on pc" in words
    assert "prevalence: 1 host\n" in words


def test_a_listed_executable_names_who_listed_it_and_why(world: World) -> None:
    world.allow("N", why="ticket 4711")
    assert "list: allow by ann for fleet: ticket 4711" in told(world, sha("N"))


def test_a_decision_of_the_past_is_told_as_it_was_made(world: World) -> None:
    moved = world.now
    world.later(DAY)
    world.allow("N")
    assert "access: production" in told(world, "pc")
    past = told(world, "pc", moved + HOUR)
    assert "moves from production to remediation" in past
    assert "unknown under rules" in past


def test_what_nobody_knows_is_said(world: World) -> None:
    with pytest.raises(NothingKnown, match="no host's name"):
        told(world, "nobody")
    with pytest.raises(NothingKnown, match="no endpoint ever started"):
        told(world, "f" * 64)


def test_the_same_chain_is_there_as_data(world: World) -> None:
    data = why(world.store.reading(), world.policy, "pc", now=world.now).as_json()
    assert data["steps"][0]["kind"] == "access"
    assert data["steps"][0]["facts"]["access"] == "remediation"


# --- whole chains, told of records that say one thing each ----------------------------------------------------------

THREE = parse(
    f"""
[[rule]]
name = "signed"
[rule.when]
"signer.state" = "valid"
"age" = {{ le = 2 }}
[rule.then]
observe = true
[[rule]]
name = "graced"
[rule.when]
"writer.hash" = "{sha("setup")}"
[rule.then]
grace = {{ hours = 2, max_hosts = 1 }}
[[rule]]
name = "watched"
[rule.when]
"host.name" = "front desk"
[rule.then]
alert = true
hold = true
"""
)
N, PC = sha("N"), HostId("pc")
NOW = START + 3 * HOUR
ELSEWHERE = TenantId(2)
STARTED = Execution(
    T, "start-1", PC, N, r"C:\n.exe", 4711, START + HOUR, START + HOUR, user="ann", rules="v7", writer=ParentRef(r"C:\setup.exe", sha("setup")),
    parents=(ParentRef(r"C:\cmd.exe"), ParentRef(r"C:\explorer.exe")), reason=Reason("unknown", "nothing knows it", "", "default"),
)  # fmt: skip
OPEN = PostureReason(T, PC, N, Posture.POTENTIAL_PROBLEM, START + HOUR, Reason("unknown", "n.exe was started"))
STATE = HostState(
    T, PC, Posture.POTENTIAL_PROBLEM, Reason("unknown", "n.exe was started"), Access.REMEDIATION,
    Reason("move-outstanding", "it must move", "access row 6"), 3, START + HOUR,
)  # fmt: skip
MOVE = Order(
    T, "o1", PC, Mac("02:00:00:00:00:10"), Access.REMEDIATION, 3, OrderState.SENT, START + HOUR, START + HOUR, note="try 1 of 2"
)  # fmt: skip
TOLD_START = (
    "start",
    r"C:\n.exe on front desk by ann, started by C:\cmd.exe ← C:\explorer.exe: unknown under rules v7, nothing knows it",
    {
        "execution": "start-1", "sha256": N, "started_us": START + HOUR, "verdict": "unknown",
        "level": "unknown", "ref": "", "author": "default", "rules": "v7",
    },
)  # fmt: skip
TOLD_RULES = [
    ("rule", "signed misses: signer.state is valid: is expired; age is at most 2: is 4, 2 too many", {}),
    ("rule", "graced misses: all 1 hosts of this grace are used: 1", {}),
    ("rule", "watched holds now: its outcomes are alert, hold", {}),
]


@pytest.fixture
def desk() -> World:
    """A front desk that one unknown program took out of production. Another tenant has records of the same names."""
    world = World(rules=THREE)
    world.now = NOW
    world.put(
        Host(T, PC, "front desk"),
        Executable(T, N, name="n.exe", first_seen=START - HOUR, first_host=PC, signer="Acme", signer_state="expired"),
        HostExecutable(T, PC, N, START + HOUR, START + HOUR, facts={"signer.state": "expired"}),
        GraceSlot(T, "graced", N, HostId("another"), START, START + HOUR),
        STARTED,
    )
    there = Reason("elsewhere", "this is another tenant's")
    world.put(
        Host(ELSEWHERE, PC, "not yours"),
        Host(ELSEWHERE, HostId("theirs"), "their desk"),
        Executable(ELSEWHERE, sha("N")[:8] + "0" * 56, name="theirs", signer_state="valid"),
        replace(STARTED, tenant=ELSEWHERE, id="start-2", path="/theirs"),
        replace(OPEN, tenant=ELSEWHERE, reason=there),
        replace(MOVE, tenant=ELSEWHERE, id="o2", note="theirs"),
        replace(STATE, tenant=ELSEWHERE),
        GraceSlot(ELSEWHERE, "graced", N, HostId("other"), START, START + HOUR),
        Prevalence(ELSEWHERE, N, "fleet", 77, START, START),
        ListEntry(ELSEWHERE, "e", "deny", ListKind.HASH, N, why="theirs"),
        BreakerTrip(ELSEWHERE, f"executable:{N}", START, there),
        Event(ELSEWHERE, "ev", START, "moved", Severity.INFO, "", "theirs", PC),
        AgentOrder(ELSEWHERE, "a", PC, "cut", START, sha256=N),
    )
    return world


def chain(world: World, subject: str, **more: Any) -> list[tuple[str, str, dict[str, Any]]]:
    told = why(world.store.reading(), world.policy, subject, now=world.now, **more)
    assert told.as_json() == {
        "subject": told.subject,
        "at_us": more.get("at"),
        "steps": [
            {"kind": step.kind, "text": step.text, "facts": step.facts}
            if step.facts
            else {"kind": step.kind, "text": step.text}
            for step in told.steps
        ],
    }
    return [(step.kind, step.text, step.facts) for step in told.steps]


def test_a_moved_host_from_its_access_to_its_orders(desk: World) -> None:
    desk.put(STATE, replace(OPEN, placed=True))
    desk.put(*(replace(MOVE, id=f"o{n}", generation=n, created=START + n, note="") for n in range(10, 17)))
    desk.put(replace(MOVE, id="o9", created=START + 20))
    another = HostId("another")
    desk.put(replace(MOVE, id="o8", host_id=another, created=START + 30), replace(OPEN, key="x", host_id=another))
    reason = {"key": N, "at_us": START + HOUR, "posture": "potential_problem"}
    older = [("move", f"to remediation (generation {n}) for 02:00:00:00:00:10: sent", {}) for n in (16, 15, 14, 13)]
    expected = [
        ("access", "remediation (generation 3, access row 6, move-outstanding): it must move",
         {"access": "remediation", "row": "move-outstanding", "generation": 3}),
        ("mode", "mode enforce", {}),
        ("posture", "potential_problem: n.exe was started", {"posture": "potential_problem"}),
        ("reason", "n.exe was started; its places are taken", reason),
        TOLD_START,
        *TOLD_RULES,
        ("move", "to remediation (generation 3) for 02:00:00:00:00:10: sent, try 1 of 2", {}),
        *older,
    ]  # fmt: skip
    assert chain(desk, "front desk") == chain(desk, "pc") == expected
    assert why(desk.store.reading(), desk.policy, "pc", now=NOW).subject == "front desk"


def test_its_lines_are_indented_where_a_rule_speaks(desk: World) -> None:
    lines = told(desk, N).splitlines()
    assert lines[-1] == "    rule: watched holds now: its outcomes are alert, hold"
    assert lines[0].startswith("executable: n.exe")


def test_a_host_nothing_was_decided_for_and_one_in_order_by_a_person_while_all_is_paused(desk: World) -> None:
    nothing = [("access", "nothing was decided for it yet", {})]
    assert chain(desk, "pc") == nothing
    assert why(desk.store.reading(), desk.policy, "pc", now=NOW).subject == "front desk"
    free = replace(STATE, access=Access.PRODUCTION, access_reason=Reason("imported", "as it was"))
    desk.put(replace(free, ordered="release", ordered_by="ann"), Setting(T, "pause", {"on": True}, 1, "test", START))
    assert chain(desk, "pc")[:3] == [
        ("access", "production (generation 3, imported): as it was",
         {"access": "production", "row": "imported", "generation": 3}),
        ("mode", "mode enforce, automatic moves are paused", {}),
        ("order", "release ordered by ann: no reason given", {}),
    ]  # fmt: skip
    desk.put(replace(free, ordered="quarantine", ordered_by="bob", ordered_why="ticket 4711"))
    assert chain(desk, "pc")[2] == ("order", "quarantine ordered by bob: ticket 4711", {})


@pytest.mark.parametrize(
    ("open_", "how"),
    [
        (replace(OPEN, placed=True), "its places are taken"),
        (replace(OPEN, contained=True), "contained"),
        (OPEN, "its move waits for mode enforce or the end of the pause"),
        (replace(OPEN, move=False), "no move is asked for"),
    ],
)
def test_a_reason_says_what_became_of_its_move(desk: World, open_: PostureReason, how: str) -> None:
    desk.put(STATE, open_)
    assert f"reason: n.exe was started; {how}\n" in told(desk, "pc")


@pytest.mark.parametrize(
    ("mode", "orders", "texts"),
    [
        ("enforce", [], [
            ("cut is wanted; the agent has done it, or was not asked (paused, or a protected host)", "cut", "closed"),
            ("isolate is wanted; the agent has done it, or was not asked (paused, or a protected host)", "isolate", "closed"),
        ]),
        ("monitor", [], [
            ("cut is wanted; mode monitor asks no agent for it", "cut", "mode"),
            ("isolate is wanted; mode monitor asks no agent for it", "isolate", "mode"),
        ]),
        ("enforce", [AgentOrder(T, "a1", PC, "cut", START, sha256=N),
                     AgentOrder(T, "a2", PC, "isolate", START, sha256=N, refused="it only watches")], [
            ("cut is asked of the agent; it has not said yet that it did it", "cut", "asked"),
            ("isolate was asked of the agent, which refused: it only watches", "isolate", "refused"),
        ]),
        ("enforce", [AgentOrder(T, "a1", PC, "cut", START, sha256=sha("another")),
                     AgentOrder(T, "a2", HostId("another"), "cut", START, sha256=N)], [
            ("cut is wanted; the agent has done it, or was not asked (paused, or a protected host)", "cut", "closed"),
            ("isolate is wanted; the agent has done it, or was not asked (paused, or a protected host)", "isolate", "closed"),
        ]),
    ],
)  # fmt: skip
def test_what_the_agent_was_asked_to_do_and_what_became_of_it(desk: World, mode: str, orders, texts) -> None:
    desk.put(STATE, replace(OPEN, outcomes=(Outcome.ISOLATE, Outcome.MOVE, Outcome.CUT)), *orders)
    desk.put(Setting(T, "mode", {"default": mode}, 2, "test", START))
    asked = [(text, facts) for kind, text, facts in chain(desk, "pc") if kind == "agent"]
    assert asked == [(text, {"outcome": outcome, "state": state}) for text, outcome, state in texts]


def test_of_the_starts_of_a_reasons_program_the_latest_here_is_told(desk: World) -> None:
    desk.put(
        STATE, OPEN, replace(STARTED, id="start-3", started=START + 2 * HOUR, user="", parents=(), ran=False, rules="")
    )
    desk.put(replace(STARTED, id="start-4", host_id=HostId("another"), started=START + 3 * HOUR))
    desk.put(replace(STARTED, id="start-5", sha256=sha("M"), started=START + 3 * HOUR))
    assert [text for kind, text, _ in chain(desk, "pc") if kind == "start"] == [
        r"C:\n.exe on front desk by unknown user, started by parent unknown: unknown, nothing knows it, it did not run"
    ]


def test_a_start_without_content_is_a_reason_by_itself_and_no_rule_can_hold(desk: World) -> None:
    desk.put(STATE, replace(OPEN, key="start-3"), replace(STARTED, id="start-3", sha256=None))
    kinds = [(kind, text) for kind, text, _ in chain(desk, "pc")]
    assert kinds[-2][0] == "start"
    assert kinds[-1] == ("rule", "its content could not be read, so no rule can hold")


def test_a_reason_that_no_start_made_stands_alone_and_a_decided_start_needs_no_rules(desk: World) -> None:
    desk.put(STATE, replace(OPEN, key="silence"))
    assert [kind for kind, _, _ in chain(desk, "pc")][-1] == "reason"
    desk.put(OPEN, replace(STARTED, verdict=VerdictWord.DENIED))
    assert [kind for kind, _, _ in chain(desk, "pc")].count("start") == 1
    assert "rule" not in [kind for kind, _, _ in chain(desk, "pc")]


def test_a_grace_that_ended_here_says_how_long_ago(desk: World) -> None:
    desk.put(GraceSlot(T, "graced", N, PC, START, NOW - 30 * MINUTE))
    assert "    rule: graced misses: the grace on this host ended 0.5 hours ago\n" in told(desk, N)


def test_an_executable_with_all_that_is_known_of_it(desk: World) -> None:
    family = replace(desk.store.reading().get(Executable, T, N), family="native-image:x")
    desk.put(
        family,
        Prevalence(T, N, "fleet", 2, START, NOW),
        ListEntry(T, "e1", "deny", ListKind.HASH, N, "site:bonn", "bob", "seen at a peer"),
        ListEntry(T, "e2", "allow", ListKind.HASH, N),
        ListEntry(T, "e3", "allow", ListKind.HASH, N, author="nobody", confirmed=False),
        ListEntry(T, "e4", "allow", ListKind.SIGNER, N, author="of another kind"),
        ListEntry(T, "e5", "allow", ListKind.HASH, sha("M"), author="of another program"),
        BreakerTrip(T, "executable:native-image:x", START, Reason("breaker", "limit of 3 hosts reached")),
        BreakerTrip(T, "executable:native-image:x", START + 1, Reason("breaker", "it is over"), ended=START + 2),
        BreakerTrip(T, f"executable:{N}", START, Reason("breaker", "its family is what counts")),
        replace(STARTED, id="start-3", host_id=HostId("gone"), started=START, path="/n"),
    )
    [trip] = [each for each in desk.store.reading().find(BreakerTrip, tenant=T) if each.reason.text.startswith("limit")]
    expected = [
        ("executable", "n.exe, signed by Acme (expired), of family native-image:x, first on front desk", {}),
        ("prevalence", "2 hosts", {"hosts": 2}),
        ("list", "deny by bob for site:bonn: seen at a peer", {}),
        ("list", "allow by unknown for fleet: no reason given", {}),
        ("containment", "limit of 3 hosts reached", {"since_us": START, "trip": trip.id}),
        TOLD_START,
        *TOLD_RULES,
        ("start", r"/n on gone by ann, started by C:\cmd.exe ← C:\explorer.exe: unknown under rules v7, nothing knows it",
         {**TOLD_START[2], "execution": "start-3", "started_us": START}),
    ]  # fmt: skip
    assert chain(desk, N) == chain(desk, N[:8].upper()) == expected
    assert why(desk.store.reading(), desk.policy, N[:8], now=NOW).subject == N


def test_a_bare_executable_has_little_to_tell(desk: World) -> None:
    desk.put(Executable(T, sha("M")), BreakerTrip(T, f"executable:{sha('M')}", START, Reason("breaker", "full")))
    [trip] = desk.store.reading().find(BreakerTrip, tenant=T)
    assert chain(desk, sha("M")) == [
        ("executable", f"{sha('M')[:16]}, no signature known", {}),
        ("containment", "full", {"since_us": START, "trip": trip.id}),
    ]


def test_one_that_only_a_list_names_is_explained_though_it_never_ran(desk: World) -> None:
    desk.put(ListEntry(T, "e1", "deny", ListKind.HASH, sha("M"), author="bob"))
    desk.put(BreakerTrip(T, f"executable:{sha('M')}", START, Reason("breaker", "full")))
    listed, contained = chain(desk, sha("M"))
    assert listed == ("list", "deny by bob for fleet: no reason given", {})
    assert contained[:2] == ("containment", "full")


def test_only_the_newest_unknown_start_is_held_against_the_rules_and_no_more_than_twenty_are_told(desk: World) -> None:
    desk.put(*(replace(STARTED, id=f"more-{n}", started=START + 2 * HOUR + n) for n in range(25)))
    kinds = [kind for kind, _, _ in chain(desk, N)]
    assert kinds == ["executable", "start", "rule", "rule", "rule", *["start"] * (MOST - 1)]
    desk.put(replace(STARTED, id="newest", started=NOW, verdict=VerdictWord.ALLOWED))
    assert "rule" not in [kind for kind, _, _ in chain(desk, N)]
    desk.put(replace(STARTED, id="not here any more", started=NOW + 1, host_id=HostId("gone")))
    assert "rule" not in [kind for kind, _, _ in chain(desk, N)]


def test_the_past_of_an_executable_ends_with_the_moment_asked_for(desk: World) -> None:
    desk.put(*(replace(STARTED, id=f"at-{n}", started=START + n) for n in (1, 2, 3)))
    then = chain(desk, N, at=START + 2)
    assert [facts.get("execution") for kind, _, facts in then] == [None, "at-2", "at-1"]


def test_the_past_of_a_host_is_told_in_the_zone_asked_for_up_to_the_moment_asked_for(desk: World) -> None:
    def event(number: int, at: int, kind: str, text: str, **facts: Any) -> Event:
        return Event(T, f"ev{number}", at, kind, Severity.INFO, "", text, PC, facts=facts)

    desk.put(
        event(1, START, "moved", "pc moves", access="remediation"),
        event(2, START + MINUTE + 5, "released", "pc is released", access="production"),
        event(3, START + 2 * MINUTE, "unknown_ran", "n.exe on pc"),
        event(4, START + 2 * MINUTE + 1, "moved", "after the moment"),
        replace(event(5, START, "moved", "another host's"), host_id=HostId("another")),
        replace(STARTED, id="start-0", started=START + 2 * MINUTE, path="/first"),
        replace(STARTED, id="start-3", started=START + 2 * MINUTE + 1, path="/after the moment"),
        replace(STARTED, id="start-5", started=START, tenant=ELSEWHERE, path="/another tenant's"),
        replace(STARTED, id="start-4", started=START, host_id=HostId("another"), path="/another host's"),
    )
    bonn = timezone(timedelta(hours=1))
    assert chain(desk, "pc", at=START + 2 * MINUTE, zone=bonn) == [
        ("access", "since 2025-11-24 17:01:00+01:00: pc is released", {"access": "production"}),
        ("event", "2025-11-24 17:02:00+01:00 unknown_ran: n.exe on pc", {"at_us": START + 2 * MINUTE}),
        ("event", "2025-11-24 17:01:00+01:00 released: pc is released", {"at_us": START + MINUTE + 5}),
        ("event", "2025-11-24 17:00:00+01:00 moved: pc moves", {"at_us": START}),
        ("start", r"/first on front desk by ann, started by C:\cmd.exe ← C:\explorer.exe: unknown under rules v7, nothing knows it",
         {**TOLD_START[2], "execution": "start-0", "started_us": START + 2 * MINUTE}),
    ]  # fmt: skip
    assert chain(desk, "pc", at=START)[0] == (
        "access", "since 2025-11-24 16:00:00+00:00: pc moves", {"access": "remediation"}
    )  # fmt: skip
    assert chain(desk, "pc", at=START - 1) == []
    assert why(desk.store.reading(), desk.policy, "pc", now=NOW, at=START).subject == "front desk"


def test_of_a_long_past_the_newest_twenty_are_told(desk: World) -> None:
    desk.put(*(Event(T, f"e{n}", START + n, "unknown_ran", Severity.INFO, "", "x", PC) for n in range(25)))
    desk.put(*(replace(STARTED, id=f"s{n}", started=START + n) for n in range(25)))
    past = chain(desk, "pc", at=START + 30)
    assert [kind for kind, _, _ in past] == ["event"] * MOST + ["start"] * MOST
    assert [facts["execution"] for _, _, facts in past[MOST:]] == [f"s{n}" for n in range(24, 4, -1)]


def test_a_host_is_found_by_id_before_name_and_never_at_another_tenant(desk: World) -> None:
    desk.put(Host(T, HostId("other"), "pc"))
    reading = desk.store.reading()
    for name, expected in {"pc": PC, "front desk": PC, "other": "other"}.items():
        found = find_host(reading, desk.policy, name)
        assert found is not None
        assert found.host_id == expected
    for name in ("theirs", "their desk", "not yours"):
        assert find_host(reading, desk.policy, name) is None


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("nobody", "'nobody' is no host's name or id, and no SHA-256 (or 8 digits of one)"),
        (N[:7], f"'{N[:7]}' is no host's name or id, and no SHA-256 (or 8 digits of one)"),
        ("nothexadecimal", "'nothexadecimal' is no host's name or id, and no SHA-256 (or 8 digits of one)"),
        ("F" * 64, f"no endpoint ever started {'f' * 64}, and no list names it"),
        ("f" * 63, f"no endpoint ever started {'f' * 63}, and no list names it"),
        ("aaaaaaaa", "2 executables begin with aaaaaaaa; write more digits"),
    ],
)
def test_what_cannot_be_found_is_answered_with_what_could_be_meant(desk: World, subject: str, sentence: str) -> None:
    desk.put(Executable(T, "a" * 64), Executable(T, "a" * 63 + "b"))
    with pytest.raises(NothingKnown) as nothing:
        told(desk, subject)
    assert str(nothing.value) == sentence
