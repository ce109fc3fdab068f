"""A digest: what nobody was mailed at once for, and everything that still waits for a decision."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.alerts import digest
from api.alerts.periods import day_of
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Event,
    EventKind,
    Executable,
    HostExecutable,
    HostId,
    Posture,
    PostureReason,
    Reason,
    Severity,
    Sha256,
    VerdictWord,
)

from .conftest import HOSTILE, SHA, T0

T = DEFAULT_TENANT
BERLIN = ZoneInfo("Europe/Berlin")
DAY = day_of("2026-11-21", BERLIN)
HOUR = 3600 * SECOND


def sees(office: Any, number: int, sha: str, word: VerdictWord, *, at: int = T0, rule: str = "", **known: Any) -> None:
    """Host `number` has its first start of `sha`."""
    with office.store.transaction() as tx:
        tx.add(Executable(T, Sha256(sha), name=known.pop("name", f"/opt/{sha[:4]}.exe"), first_seen=at, **known))
        tx.put(HostExecutable(T, HostId(f"host-{number:04}"), Sha256(sha), at, at, verdict=word, rule=rule))


def says(office: Any, kind: EventKind, text: str, *, at: int = T0, severity: Severity = Severity.INFO) -> None:
    with office.store.transaction() as tx:
        tx.put(Event(T, f"{kind}-{at}-{text}", at, kind, severity, "x", text, HostId("host-0001")))


def read(office: Any, **given: Any) -> digest.Digest:
    return digest.read(office.store.reading(), T, "daily", DAY, BERLIN, **given)


def test_nothing_happened(office: Any) -> None:
    empty = read(office)
    assert empty.empty
    assert empty.summary == "nothing happened"
    assert empty.span == "Saturday 21 November 2026"


def test_graced_and_newly_allowed_stand_in_sections_of_their_own(office: Any) -> None:
    for number in (1, 2, 3):
        sees(office, number, "a" * 64, VerdictWord.GRACED, at=T0 + number, rule="same-signer-new-version")
    sees(office, 1, "b" * 64, VerdictWord.ALLOWED, rule="proven")
    found = read(office)
    [graced], [allowed] = found.graced.lines, found.allowed.lines
    assert (graced.name, graced.hosts, graced.why, graced.at) == ("aaaa.exe", 3, "same-signer-new-version", T0 + 1)
    assert allowed.sha256 == "b" * 64
    assert found.summary == "1 graced, 1 new and allowed"


def test_what_the_inventory_allows_or_was_there_before_is_not_new(office: Any) -> None:
    sees(office, 1, "a" * 64, VerdictWord.ALLOWED, rule="inventory-aaaa")
    sees(office, 1, "b" * 64, VerdictWord.ALLOWED, at=DAY.begin - HOUR)
    sees(office, 2, "b" * 64, VerdictWord.ALLOWED)
    assert read(office).empty


def test_repeats_are_counted(office: Any) -> None:
    for hour in range(4):
        office.runs(1, at=T0 + hour * HOUR)
    office.runs(2, at=T0 + HOUR)
    [line] = read(office).told.lines
    assert (line.sha256, line.starts, line.hosts, line.at) == (SHA, 5, 2, T0)
    assert line.why == "Unknown executable ran"


def test_an_undecided_unknown_stands_in_every_digest_until_it_is_decided(office: Any) -> None:
    with office.store.transaction() as tx:
        reason = Reason("5", "unknown program /tmp/x was started")
        tx.put(
            PostureReason(T, HostId("host-0001"), SHA, Posture.POTENTIAL_PROBLEM, DAY.begin - 40 * 24 * HOUR, reason)
        )
    [line] = read(office).undecided.lines
    assert (line.sha256, line.hosts) == (SHA, 1)
    with office.store.transaction() as tx:
        tx.delete(PostureReason, tenant=T, key=SHA)
    assert read(office).empty


def test_every_event_of_severity_info_is_counted_by_kind_and_the_loud_ones_were_mailed(office: Any) -> None:
    for number in range(30):
        says(office, EventKind.MOVE_CONFIRMED, f"PC-{number} is where it should be", at=T0 + number)
    says(office, EventKind.CLEARED, "PC-1 was cleared by otto")
    says(office, EventKind.PAUSED, "paused", severity=Severity.WARNING)
    confirmed, cleared = read(office).happenings
    assert (confirmed.kind, confirmed.count, len(confirmed.texts)) == ("move_confirmed", 30, 5)
    assert (cleared.title, cleared.texts) == ("Host cleared", ("PC-1 was cleared by otto",))


def test_the_members_of_a_family_are_one_line(office: Any) -> None:
    for number in range(1, 6):
        sees(office, number, f"{number:064x}", VerdictWord.GRACED, family="fam-1")
    [line] = read(office).graced.lines
    assert (line.family, line.hosts) == (5, 5)


@pytest.mark.parametrize("at", [DAY.begin - 1, DAY.end])
def test_what_happened_outside_the_day_is_in_another_digest(office: Any, at: int) -> None:
    says(office, EventKind.CLEARED, "cleared", at=at)
    sees(office, 1, "a" * 64, VerdictWord.GRACED, at=at)
    assert read(office).empty


@pytest.mark.parametrize("at", [DAY.begin, DAY.end - 1])
def test_the_first_and_the_last_moment_of_the_day_are_in_it(office: Any, at: int) -> None:
    says(office, EventKind.CLEARED, "cleared", at=at)
    assert not read(office).empty


def test_somebody_with_a_site_reads_of_that_site(office: Any) -> None:
    office.runs(1)
    assert read(office, sites=("main",)).told.total == 1
    assert read(office, sites=("elsewhere",)).told.total == 0


def test_it_is_bounded_and_says_what_was_left_out(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(digest.LINES + 7):
        sees(office, 1, f"{number:064x}", VerdictWord.GRACED)
    found = read(office)
    assert (len(found.graced.lines), found.graced.further, found.graced.total) == (digest.LINES, 7, digest.LINES + 7)
    assert not found.cut
    monkeypatch.setattr(digest, "ROWS", 10)
    assert read(office).cut


def test_hostile_names_are_made_visible_and_it_is_plain_json(office: Any) -> None:
    sees(office, 1, "a" * 64, VerdictWord.GRACED, name=f"/tmp/{HOSTILE}")
    text = json.dumps(read(office).plain(), ensure_ascii=False)
    assert "\u202e" not in text
    assert "‹U+202E›" in text
