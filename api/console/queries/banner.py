"""What a person must know on every page: paused, tripped, alerts that wait, a silent RADIUS process, a mode that moves nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api import words
from api.alerts.escalation import OPEN
from radius_policy.judgement import trips
from radius_policy.judgement.trips import Trip
from radius_policy.model import Delivery, Escalation, Executable, Micros, Mode, Setting, TenantId
from radius_policy.store.interface import Reading

_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Banner:
    """One line. `tone` is bad, warn or quiet; `link` a console page with more, or empty."""

    tone: str
    title: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Standby:
    """`paused` and the lines to show."""

    paused: bool
    banners: tuple[Banner, ...]


def standby(
    reading: Reading,
    tenant: TenantId,
    *,
    alerts_configured: bool,
    radius_age: float | None,
    now: Micros,
    broken_sets: Mapping[str, str] = MappingProxyType({}),
) -> Standby:
    """`radius_age`: seconds since the RADIUS process wrote its figures, None where there are none; `broken_sets`: the
    reference sets that cannot be used, with the reason."""
    pause = reading.get(Setting, tenant, "pause")
    paused = bool(pause and pause.value.get("paused"))
    banners: list[Banner] = []
    if pause and paused:
        why = words.visible(str(pause.value.get("why") or ""), 200)
        text = (
            f"{words.visible(pause.author, 80)} paused it{': ' + why if why else ''}. Nobody is moved until it goes on."
        )
        banners.append(Banner("bad", "Automatic quarantine is paused", text))
    waiting_trips = trips.trips(reading, tenant, now)
    banners += [_trip(reading, trip) for trip in waiting_trips[:3]]
    if len(waiting_trips) > 3:
        banners.append(Banner("bad", "Breaker tripped", f"and at {len(waiting_trips) - 3} further limits", "trips"))
    if waiting := reading.count(Escalation, tenant=tenant, state=OPEN):
        text = f"{words.count(waiting, 'urgent alert')} that nobody has acknowledged; further people are told until somebody has."
        banners.append(Banner("bad", "Somebody is needed", text, "alerts"))
    banners += _alerts(reading, tenant, alerts_configured)
    if radius_age is not None and radius_age > 5:
        text = f"It gave no sign for {radius_age:.0f} seconds: nobody can be moved, and it is being started again."
        banners.append(Banner("bad", "The RADIUS process is silent", text))
    for name, why in list(broken_sets.items())[:3]:
        text = f"{words.visible(why, 300)}; what it would allow is unknown meanwhile."
        banners.append(Banner("bad", f"The reference set {words.visible(name, 80)} cannot be used", text))
    banners += _mode(reading, tenant)
    return Standby(paused, tuple(banners))


def _trip(reading: Reading, trip: Trip) -> Banner:
    executable = reading.get(Executable, trip.head.tenant, trip.topic) if not trip.wide else None
    what = f"{words.base_name(executable.name) or trip.topic[:12]}" if executable else trip.head.level
    text = words.visible(f"{words.visible(what, 80)}: {trip.head.reason.text}", 300)
    return Banner("bad", "Breaker tripped", text, f"trips/{trip.id}")


def _alerts(reading: Reading, tenant: TenantId, configured: bool) -> list[Banner]:
    setting = reading.get(Setting, tenant, "alerts")
    if not configured and not (setting and setting.value.get("channels")):
        text = "Set server, from and to in the section [mail] of pratique.toml, or other channels in the setting alerts; until then alerts reach nobody."
        return [Banner("warn", "Nobody is told", text)]
    waiting = reading.find(Delivery, tenant=tenant, state="waiting", order="not_before", limit=_LOOKED_AT)
    failing = [delivery for delivery in waiting if delivery.error]
    banners = []
    if failing:
        total = reading.count(Delivery, tenant=tenant, state="waiting")
        text = f"{words.count(total, 'message')} waiting, nothing is lost. The last answer: {failing[0].error}"
        banners.append(Banner("bad", "Alerts cannot be delivered", words.visible(text, 400)))
    given_up = reading.count(Delivery, tenant=tenant, state="given_up")
    if given_up:
        text = f"{words.count(given_up, 'message')} found no channel in 7 days; the events are below."
        banners.append(Banner("bad", "Alerts were given up", text, "events"))
    return banners


def _mode(reading: Reading, tenant: TenantId) -> list[Banner]:
    setting = reading.get(Setting, tenant, "mode")
    mode = str(setting.value.get("default", Mode.LEARN)) if setting else str(Mode.LEARN)
    if mode == Mode.ENFORCE:
        return []
    what = "everything seen is recorded as the baseline" if mode == Mode.LEARN else "decides and tells"
    return [Banner("quiet", f"Mode {words.visible(mode, 20)}", f"{what[0].upper()}{what[1:]}, but nobody is moved.")]
