"""The console's pages of urgent alerts and of digests.

A link of an alert opens the page that asks; only its button acknowledges, by a POST of somebody with the right role.
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from api.admin.trips import View
from api.alerts import acknowledge as desk
from api.alerts import digest, periods
from api.alerts.digest import Digest
from api.alerts.settings import SETTING, parse
from api.auth.roles import Role
from api.console.guard import BASE, ConsoleRoute, Visiting, go, text
from api.console.trips import trip_view
from api.errors import NotFound, Refused
from api.words import local
from radius_policy.model import Event, Setting
from radius_policy.store.interface import Reading

alerts = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@alerts.get("/alerts")
async def waiting(visit: Visiting) -> Response:
    who = visit.who
    return await visit.show("alerts.html", lambda reading, _: desk.matters(reading, who, every=True))


@alerts.get("/alerts/{alert}")
@alerts.get("/alerts/{alert}/acknowledge")
async def one(visit: Visiting, alert: str) -> Response:
    who = visit.who

    def look(reading: Reading, _: ZoneInfo) -> tuple[desk.Matter, bool, View | None]:
        found = desk.find(reading, who, alert)
        event = reading.get(Event, who.tenant, found.event_id)
        trip = str(event.facts.get("trip", "")) if event is not None else ""
        told = trip_view(reading, visit, trip) if trip else None
        return desk.matter_of(reading, found), who.may(Role.OPERATOR, found.site or None), told

    return await visit.show("acknowledge.html", look)


@alerts.post("/alerts/{alert}/acknowledge")
async def acknowledge(visit: Visiting, alert: str) -> Response:
    form = await visit.form()
    why = text(form, "why")
    await visit.service.desk.plain(lambda tx, now: desk.acknowledge(tx, visit.who, alert, why=why, now=now))
    return go(f"{BASE}alerts")


@alerts.get("/digest")
@alerts.get("/digest/{name}")
async def a_digest(
    visit: Visiting, name: str = periods.DAILY, day: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """`day` is the first day that it covers; without one, the newest digest whose time has come."""
    if name not in (periods.DAILY, periods.WEEKLY):
        raise NotFound("there are a daily and a weekly digest")
    who = visit.who

    def look(reading: Reading, zone: ZoneInfo) -> Digest:
        period = _period(reading, visit, name, day, zone)
        return digest.read(reading, who.tenant, name, period, zone, sites=who.sites)

    return await visit.show("digest.html", look, local=local)


def _period(reading: Reading, visit: Visiting, name: str, day: str, zone: ZoneInfo) -> periods.Period:
    days = 7 if name == periods.WEEKLY else 1
    try:
        if day:
            return periods.day_of(day, zone, days)
        stored = reading.get(Setting, visit.who.tenant, SETTING)
        spec = parse(stored.value if stored else None).digest.named(name)
        return periods.before(periods.latest_end(spec, visit.now, zone), zone, days)
    except (ValueError, OverflowError) as error:
        raise Refused("a day is written as 2026-11-21") from error
