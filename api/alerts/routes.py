"""Who is told of which event: routes, matched from top to bottom.

Guarantees: pure; every route that matches takes the event, and an event that needs a person (severity `warning` and
up) and matches no route is reported by `unrouted`, never dropped in silence. It delivers nothing and knows no store.

A route names its channels in order: the first is used, the next ones are where a message goes when it fails.
The setting `alerts` of a tenant holds routes and channels as JSON; without it `DEFAULT_ROUTES` hold.
"""

from datetime import UTC, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from radius_policy.model import SECOND, Event, Micros, Severity

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9_-]*$")]
Days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"begin": "from", "end": "to"}):
    """Working hours in the site's zone, in JSON `{"days": ["mon"], "from": "07:00", "to": "18:00"}`: from `from` (inclusive)
    to `to` (exclusive) on these days."""

    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    begin: str = "07:00"
    end: str = "18:00"

    def __post_init__(self) -> None:
        if time.fromisoformat(self.begin) >= time.fromisoformat(self.end):
            raise ValueError(f"working hours must begin before they end: {self.begin} to {self.end}")

    def contain(self, at: Micros, zone: ZoneInfo) -> bool:
        local = datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone)
        within = time.fromisoformat(self.begin) <= local.time() < time.fromisoformat(self.end)
        return within and Days[local.weekday()] in self.days


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. Empty `kinds`, `sites` or `groups` mean any. `when` is by the site's working hours.

    `always` are kinds that it takes whatever their severity, each host in the program's own conversation. `join_s` is for how long further events of a conversation join one message; 0 sends each on its own.
    `people` are told one after the other of an urgent event that nobody acknowledges, each `answer_s` after the one before
    (`escalation.py`); a route without people reminds its own channels.
    """

    name: Name
    channels: Annotated[tuple[Name, ...], Meta(min_length=1)]
    kinds: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    severity: Literal["info", "warning", "urgent"] = "warning"
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    when: Literal["always", "working", "off"] = "always"
    join_s: Annotated[int, Meta(ge=0, le=86_400)] = 600
    people: tuple[Name, ...] = ()
    answer_s: Annotated[int, Meta(ge=10, le=86_400)] = 900


DEFAULT_ROUTES: tuple[Route, ...] = (Route("needs-a-person", ("mail",)),)
"""Mails at once only what needs a person; severity `info` waits for the digest, but for an undecided program on a further
host, which this route tells too (`joining.further`)."""


def takes(route: Route, event: Event, groups: tuple[str, ...], working: bool) -> bool:
    """Whether this route takes the event; `groups` are its host's, `working` whether it fell into working hours."""
    return (
        (event.severity >= Severity[route.severity.upper()] or event.kind in route.always)
        and (not route.kinds or event.kind in route.kinds)
        and (not route.sites or event.site in route.sites)
        and (not route.groups or bool(set(groups) & set(route.groups)))
        and (route.when == "always" or (route.when == "working") is working)
    )


def routes_for(routes: tuple[Route, ...], event: Event, groups: tuple[str, ...], working: bool) -> list[Route]:
    """All routes that take the event, in their order."""
    return [route for route in routes if takes(route, event, groups, working)]


def routes_behind(routes: tuple[Route, ...], event: Event, groups: tuple[str, ...], working: bool) -> list[Route]:
    """The routes that would take the event were it more urgent."""
    louder = msgspec.structs.replace
    return [
        route
        for route in routes
        if not takes(route, event, groups, working) and takes(louder(route, severity="info"), event, groups, working)
    ]


def unrouted(event: Event, matched: list[Route]) -> bool:
    """Whether an event that needs a person reaches nobody: it is counted and shown in the console."""
    return not matched and event.severity >= Severity.WARNING
