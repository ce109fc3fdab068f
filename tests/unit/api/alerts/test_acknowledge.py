"""Saying "I have it": by the right person, once, on all routes, in the audit; it decides nothing."""

from dataclasses import replace
from typing import Any

import pytest

from api.alerts import acknowledge as desk
from api.auth.roles import Forbidden, Identity, Role
from api.errors import NotFound, Refused
from radius_policy.model import (
    DEFAULT_TENANT,
    AuditLine,
    Escalation,
    Event,
    EventKind,
    HostState,
    PostureReason,
    Severity,
    TenantId,
)

from .conftest import SHA, T0

T = DEFAULT_TENANT
OTTO = Identity(T, "otto", Role.OPERATOR)
VERA = Identity(T, "vera", Role.VIEWER)
SOUTH = Identity(T, "sam", Role.OPERATOR, ("south",))


@pytest.fixture
def matter(office: Any) -> Escalation:
    event = office.runs(1, kind=EventKind.DENIED_RAN, severity=Severity.URGENT)
    made = Escalation(
        T, "abcdef01" * 4, "all", SHA, event.kind, event.id, T0, T0, host_id=event.host_id, sha256=SHA, site="main"
    )
    with office.store.transaction() as tx:
        tx.put(made, replace(made, id="abcdef02" * 4, route="night"), replace(made, id="bbbbbb00" * 4, topic="other"))
    return made


def say(office: Any, who: Identity, name: str, why: str = "", now: int = T0 + 5) -> desk.Matter:
    with office.store.transaction() as tx:
        return desk.acknowledge(tx, who, name, why=why, now=now)


def test_it_covers_the_matter_on_every_route_and_no_other(office: Any, matter: Escalation) -> None:
    done = say(office, OTTO, matter.id, "looking at it")
    assert (done.state, done.by, done.why, done.host) == ("acknowledged", "otto", "looking at it", "PC-0001")
    [left] = desk.matters(office.store.reading(), OTTO)
    assert left.id == "bbbbbb00" * 4
    assert len(desk.matters(office.store.reading(), OTTO, every=True)) == 3


def test_it_is_audited_and_told_and_decides_nothing(office: Any, matter: Escalation) -> None:
    before = office.store.reading().find(HostState, tenant=T)
    say(office, OTTO, matter.id)
    reading = office.store.reading()
    [line] = reading.find(AuditLine, tenant=T)
    assert (line.who, line.what, line.subject) == ("otto", "alert.acknowledge", matter.id)
    [event] = reading.find(Event, tenant=T, kind=EventKind.ACKNOWLEDGED)
    assert (event.severity, event.topic) == (Severity.INFO, SHA)
    assert reading.find(HostState, tenant=T) == before
    assert reading.count(PostureReason, tenant=T) == 0


def test_once_more_changes_nothing_and_says_who_has_it(office: Any, matter: Escalation) -> None:
    say(office, OTTO, matter.id)
    again = say(office, Identity(T, "anna", Role.ADMIN), matter.id, now=T0 + 99)
    assert (again.by, again.ended) == ("otto", T0 + 5)
    assert office.store.reading().count(AuditLine, tenant=T) == 1


def test_the_beginning_of_an_id_is_enough_where_it_is_plain(office: Any, matter: Escalation) -> None:
    assert say(office, OTTO, "bbbbbb00").by == "otto"
    with pytest.raises(NotFound):
        say(office, OTTO, "abcdef")
    with office.store.transaction() as tx:
        tx.put(replace(matter, id="abcdef01" * 3 + "f" * 8))
    with pytest.raises(Refused, match="2 urgent alerts begin with"):
        say(office, OTTO, "abcdef01")


@pytest.mark.parametrize("who", [VERA, SOUTH])
def test_it_needs_the_role_at_the_site(office: Any, matter: Escalation, who: Identity) -> None:
    with pytest.raises((Forbidden, NotFound)):
        say(office, who, matter.id)
    assert len(desk.matters(office.store.reading(), OTTO)) == 3


def test_another_site_or_tenant_sees_nothing_of_it(office: Any, matter: Escalation) -> None:
    assert desk.matters(office.store.reading(), SOUTH, every=True) == []
    assert desk.matters(office.store.reading(), replace(OTTO, tenant=TenantId(2)), every=True) == []
