"""A report as somebody asks for it over HTTP: words to a report, in the asker's rights. What both doors share.

Guarantees: somebody whose rights are for some sites sees the hosts of those alone, in every report.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from api.admin.lists import resolve_hash
from api.auth.roles import Forbidden, Identity
from api.errors import NotFound, Refused
from api.reports.day import day_report
from api.reports.fleet import site_zone
from api.reports.moments import NoMoment, begin_of, day_of, end_of
from api.reports.spread import NeverRan, spread_report
from api.reports.values import DayReport, Scope, SpreadReport, WindowReport
from api.reports.window import window_report
from radius_policy.model import Micros
from radius_policy.store.interface import Reading

if TYPE_CHECKING:
    from api.service import Service

Report = DayReport | WindowReport | SpreadReport
Make = Callable[[Reading, Scope, Micros], Report]


def day(who: Identity, date: str) -> Make:
    return lambda reading, scope, now: day_report(reading, who.tenant, day_of(date), scope, now=now, seen=seen_by(who))


def window(who: Identity, begin: str, end: str) -> Make:
    return lambda reading, scope, _: window_report(
        reading, who.tenant, begin_of(begin, scope.zone), end_of(end, scope.zone), scope, seen=seen_by(who)
    )


def spread(who: Identity, sha256: str) -> Make:
    return lambda reading, scope, now: spread_report(
        reading, who.tenant, resolve_hash(reading, who.tenant, sha256), scope, now=now, seen=seen_by(who)
    )


def seen_by(who: Identity) -> frozenset[str] | None:
    """The sites whose hosts may be shown, None for all."""
    return frozenset(who.sites) if who.sites else None


async def made(service: "Service", who: Identity, site: str, make: Make) -> Any:
    """The report. Raises Refused, NotFound or Forbidden with a sentence."""
    if site and not who.sees(site):
        raise Forbidden(f"this needs rights for the site {site}")
    now = service.clock()

    def look(reading: Reading) -> Report:
        return make(reading, Scope(site, site_zone(reading, who.tenant, site, service.config.site.timezone)), now)

    try:
        return await service.store.read(look)
    except NoMoment as error:
        raise Refused(str(error)) from error
    except NeverRan as error:
        raise NotFound(str(error)) from error
