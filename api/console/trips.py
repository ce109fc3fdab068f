"""The console's pages of breaker trips: a card for each, with the four answers, each asked before it is carried out."""

from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from api.admin import trips as desk
from api.auth.roles import Forbidden, Identity, Role
from api.console.asking import FIELDS, ask
from api.console.decisions import NAMED, Deed, Preview
from api.console.guard import BASE, ConsoleRoute, Visit, Visiting, go, text
from api.console.queries.common import host_lines
from api.errors import NotFound, Refused
from radius_policy.store.interface import Reading

trips = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

DEEDS: Final[dict[str, Deed]] = {
    desk.ALLOW: Deed(
        "Allow",
        "Allow it",
        "Everything that the trip contains becomes allowed. {hosts} lose this reason; those without another one go back to production.",
        "good",
    ),
    desk.DENY: Deed(
        "Deny",
        "Deny it",
        "Everything that the trip contains is refused from now on. {hosts} that ran it become compromised and are moved, as far as the breaker allows.",
        "bad",
    ),
    desk.QUARANTINE: Deed(
        "Quarantine all of",
        "Quarantine all",
        "{hosts} that ran it are moved to remediation and stay there until they are released. This passes breaker and pause, not the never-quarantine list and no group's minimum.",
        "bad",
    ),
    desk.KEEP: Deed(
        "Keep holding",
        "Keep holding",
        "All stays as it is: contained, and moved where it is moved. Nobody else is called about it, and the site's own choice does not follow.",
        "quiet",
    ),
}
"""How the answers are worded."""


@trips.get("/trips")
async def all_trips(visit: Visiting) -> Response:
    def look(reading: Reading, _: ZoneInfo) -> list[desk.View]:
        policy = visit.service.policies.current(reading, visit.who.tenant, visit.now)
        found = desk.trips(reading, visit.who, policy, visit.now, every=True)
        return sorted(found, key=lambda trip: (not trip.waits, -trip.at))

    return await visit.show("trips.html", look, alone=False)


@trips.get("/trips/{trip}")
async def one(visit: Visiting, trip: str) -> Response:
    return await visit.show("trips.html", lambda reading, _: [trip_view(reading, visit, trip)], alone=True)


@trips.get("/trips/{trip}/{answer}")
async def ask_for(visit: Visiting, trip: str, answer: str) -> Response:
    _known(answer)
    return await ask(visit, lambda reading: _preview(reading, visit, trip, answer))


@trips.post("/trips/{trip}/{answer}")
async def decide(visit: Visiting, trip: str, answer: str) -> Response:
    form = await visit.form()
    _known(answer)
    try:
        if not text(form, "why"):
            raise Refused("say why, in a few words: it stands in the audit")
        await desk.decide(visit.service.desk, visit.who, trip, answer, why=text(form, "why"))
    except (Refused, Forbidden) as error:
        said = str(error)
        given = {name: text(form, name) for name in FIELDS}
        return await ask(
            visit, lambda reading: _preview(reading, visit, trip, answer), given, f"{said[:1].upper()}{said[1:]}."
        )
    return go(f"{BASE}trips/{trip}")


def trip_view(reading: Reading, visit: Visit, name: str) -> desk.View:
    """One trip with the likelier reading of its spread. Raises NotFound or Refused."""
    policy = visit.service.policies.current(reading, visit.who.tenant, visit.now)
    found = desk.find(reading, visit.who, name, visit.now)
    return desk.view(reading, found, policy, whole=True, now=visit.now)


def _known(answer: str) -> None:
    if answer not in DEEDS:
        raise NotFound("a trip is answered by allow, deny, quarantine or keep")


def _preview(reading: Reading, visit: Visit, name: str, answer: str) -> Preview:
    who, words_of = visit.who, DEEDS[answer]
    policy = visit.service.policies.current(reading, who.tenant, visit.now)
    found = desk.find(reading, who, name, visit.now)
    planned = desk.preview(reading, who, found, answer, now=visit.now, policy=policy)
    moved = [each for each in planned.hosts if not each.why_not]
    stays = [each for each in planned.hosts if each.why_not]
    shown = [each.host_id for each in (planned.hosts if answer == desk.KEEP else moved)][:NAMED]
    number = len(planned.hosts) if answer == desk.KEEP else len(moved)
    return Preview(
        answer, words_of.verb, words_of.button, words_of.tone, planned.trip.title, planned.trip.id,
        f"trips/{planned.trip.id}", words_of.effect.format(hosts=_count(number)), planned.trip.text,
        tuple(host_lines(reading, who.tenant, shown).values()), number, (), *_may(who, planned.trip.level),
        spared=() if answer == desk.KEEP else tuple((each.host, each.why_not) for each in stays),
    )  # fmt: skip


def _count(number: int) -> str:
    return f"{number:,} {'host' if number == 1 else 'hosts'}"


def _may(who: Identity, level: str) -> tuple[bool, str]:
    site = level.removeprefix("site:") if level.startswith("site:") else None
    if who.may(Role.OPERATOR, site):
        return True, ""
    return (
        False,
        f"Answering needs the role operator{f' at {site}' if site else ' for all sites'}. Ask somebody who has it.",
    )
