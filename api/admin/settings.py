"""Settings kept in the store, as JSON data with a rising version; old values stay in the audit.

`SETTINGS` is the list of names with their defaults; an unknown name is refused with the nearest known one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from api import audit
from api.auth.roles import Identity, Role
from api.errors import Refused
from radius_policy.model import Access, Event, EventKind, Micros, Mode, Setting, Severity, TenantId
from radius_policy.store.interface import Reading, Tx

if TYPE_CHECKING:
    from radius_policy import judgement
    from radius_policy.judgement.policy import Policy

SHORTEST_SESSION: Final = 60
"""Seconds: a shorter session timeout makes every port authenticate all the time."""
SETTINGS: Final[Mapping[str, dict[str, Any]]] = {
    "mode": {"default": "learn", "sites": {}, "groups": {}},
    "pause": {"on": False, "paused": False},
    "vlans": {"production": "10", "remediation": "66", "guest": "20"},
    "breaker": {},
    "rules": {},
    "groups": {},
    "choices": {},
    "unmonitored": {"access": "production"},
    "unlisted": {"access": "guest"},
    "unknown_network": {"default": "on", "sites": {}},
    "maintenance": {"windows": []},
    "pilot": {"group": "pilot"},
    "held": {},
    "trips": {"minutes": 30, "choice": "keep", "sites": {}},
    "session_timeout": {},
    "timezone": {"name": "Europe/Berlin"},
    "alerts": {},
    "scripts": {},
    "retention": {},
    "reference_sets": {"sets": []},
}


def setting(tx: Reading, tenant: TenantId, name: str) -> dict[str, Any]:
    """The value that holds now: the stored one, else the default."""
    stored = tx.get(Setting, tenant, _known(name))
    return dict(stored.value) if stored else dict(SETTINGS[name])


def change_setting(tx: Tx, who: Identity, name: str, value: dict[str, Any], *, now: Micros) -> Setting:
    """Set it. Raises Refused for an unknown name or a value that makes no sense."""
    from radius_policy.judgement.policy import checked

    who.require(Role.ADMIN)
    _known(name)
    if not isinstance(value, dict):
        raise Refused(f"the setting {name} is a JSON object, for example {SETTINGS[name]}")
    if name in _BY_DEED:
        raise Refused(f"changing {name} moves hosts: use `{_BY_DEED[name]}`")
    try:
        checked(name, value)
    except ValueError as error:
        raise Refused(str(error)) from error
    if check := _CHECKS.get(name):
        check(value)
    old = tx.get(Setting, who.tenant, name)
    made = Setting(who.tenant, name, value, old.version + 1 if old else 1, who.name, now)
    tx.put(made)
    tx.note(who.tenant, "settings", name)
    detail = {"from": old.value if old else SETTINGS[name], "to": value, "version": made.version}
    audit.append(tx, who.tenant, at=now, who=who.name, what="setting.change", subject=name, detail=detail)
    return made


@dataclass(frozen=True, slots=True)
class ModeChange:
    """The whole setting now, and what changing it did."""

    value: dict[str, Any]
    did: "judgement.Preview"


def wanted_mode(tx: Reading, tenant: TenantId, mode: Mode | None, *, site: str = "", group: str = "") -> dict[str, Any]:
    """The setting with one mode changed: of everything, a site or a group; None takes its own mode away. Raises Refused."""
    value = setting(tx, tenant, "mode")
    if site and group:
        raise Refused("name either a site or a group, not both")
    if not site and not group:
        if mode is None:
            raise Refused("everything has some mode: learn, monitor or enforce")
        return value | {"default": str(mode)}
    part = "sites" if site else "groups"
    own = {key: kept for key, kept in value.get(part, {}).items() if key != (site or group)}
    return value | {part: own if mode is None else own | {site or group: str(mode)}}


def set_mode(
    tx: Tx,
    who: Identity,
    mode: Mode | None,
    *,
    site: str = "",
    group: str = "",
    confirm: tuple[str, ...] = (),
    plan: "judgement.Preview | None" = None,
    now: Micros,
    policy: "Policy",
) -> ModeChange:
    """Change a mode, and do what the preview said: undecided unknowns are moved when it becomes `enforce`. `confirm`
    are inventory lines (hashes) that this person vouches for; `plan` is the preview where its lines are confirmed
    already. Raises Refused."""
    from radius_policy import judgement

    who.require(Role.ADMIN)
    old = setting(tx, who.tenant, "mode")
    value = wanted_mode(tx, who.tenant, mode, site=site, group=group)
    did = judgement.set_mode(tx, who.tenant, value, now=now, policy=policy, author=who.name, confirm=confirm, plan=plan)
    detail = {"from": old, "to": value, "moved": len(did.moves), "confirmed": len(did.confirmed)}
    audit.append(tx, who.tenant, at=now, who=who.name, what="mode.change", subject=site or group or "*", detail=detail)
    return ModeChange(value, did)


def set_pause(tx: Tx, who: Identity, paused: bool, *, why: str = "", now: Micros, policy: "Policy") -> bool:
    """Stop all automatic moves, or go on. Whether it changed anything."""
    from radius_policy import judgement

    who.require(Role.OPERATOR)
    if bool(setting(tx, who.tenant, "pause").get("paused")) == paused:
        return False
    judgement.set_pause(tx, who.tenant, paused, now=now, policy=policy, author=who.name)
    written = tx.get(Setting, who.tenant, "pause")
    if written is not None:
        tx.put(replace(written, value={"on": paused, "paused": paused, "why": why}))
    line = audit.append(
        tx, who.tenant, at=now, who=who.name, what="pause" if paused else "resume", subject="moves", detail={"why": why}
    )
    text = f"{who.name} stopped all automatic moves" if paused else f"{who.name} lets automatic moves go on"
    event = Event(
        who.tenant,
        f"pause-{line.number}",
        now,
        EventKind.PAUSED if paused else EventKind.RESUMED,
        Severity.WARNING,
        "pause",
        f"{text}: {why}" if why else text,
    )
    tx.put(event)
    tx.note(who.tenant, "event", event.id)
    return True


def _known(name: str) -> str:
    if name not in SETTINGS:
        from difflib import get_close_matches

        near = get_close_matches(name, list(SETTINGS), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(SETTINGS)}"
        raise Refused(f'there is no setting "{name}"{hint}')
    return name


def _check_vlans(value: dict[str, Any]) -> None:
    allowed = {str(access) for access in Access} - {"blocked"}
    for access, vlan in value.items():
        if access not in allowed:
            raise Refused(f'"{access}" has no VLAN: {", ".join(sorted(allowed))} have one')
        if not isinstance(vlan, str) or not vlan or len(vlan.encode()) > 253:
            raise Refused(f"the VLAN of {access} is a text: its number or its name on the switch")


def _check_retention(value: dict[str, Any]) -> None:
    from radius_policy.retention import checked as retention_checked

    try:
        retention_checked(value)
    except ValueError as error:
        raise Refused(str(error)) from error


def _check_alerts(value: dict[str, Any]) -> None:
    from api.alerts.settings import checked as fits

    fits(value)


def _check_scripts(value: dict[str, Any]) -> None:
    from api.alerts import scripts

    scripts.parse(value)


def _check_unlisted(value: dict[str, Any]) -> None:
    if set(value) != {"access"} or value["access"] not in tuple(Access):
        raise Refused(
            f'unlisted says what a MAC gets that no endpoint proved, for example {{"access": "guest"}}; '
            f"there are {', '.join(Access)}"
        )


def _check_timeouts(value: dict[str, Any]) -> None:
    for access, seconds in value.items():
        if access not in tuple(Access) or access == Access.BLOCKED:
            raise Refused(f'"{access}" has no sessions: {", ".join(a for a in Access if a is not Access.BLOCKED)} have')
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not SHORTEST_SESSION <= seconds < 2**32:
            raise Refused(
                f"the session timeout of {access} is a whole number of seconds, at least {SHORTEST_SESSION}: "
                "every endpoint authenticates anew after it"
            )


def _check_sets(value: dict[str, Any]) -> None:
    from radius_policy.lists.attached import wanted_sets

    try:
        wanted_sets(value)
    except ValueError as error:
        raise Refused(str(error)) from error


_CHECKS: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "vlans": _check_vlans,
    "alerts": _check_alerts,
    "scripts": _check_scripts,
    "retention": _check_retention,
    "unlisted": _check_unlisted,
    "session_timeout": _check_timeouts,
    "reference_sets": _check_sets,
}
_BY_DEED: Final = {"mode": "pratique mode", "pause": "pratique pause"}
"""Settings whose change moves hosts: they are changed by their own deed alone."""
