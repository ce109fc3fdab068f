"""An alert as plain data, for receivers that are programs: one shape in webhooks, files, syslog and the REST API.

Guarantees: pure; times are RFC 3339 in UTC, severities and kinds are the words of docs/reference/events; every text
was made visible before (`content.py`). Names never change their meaning; new ones may come.

`fitted` is for receivers with a limit: it describes fewer hosts in full until the message fits, and the number of hosts
stays true. Nothing is cut in the middle.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from api import words
from api.alerts.content import Alert, Place, Program
from api.alerts.render import subject

STEPS: Final = ((25, 1500), (25, 100), (8, 25), (3, 5), (1, 0), (0, 0))
"""(hosts described, hosts named) from the whole message to the barest one."""


def plain(alert: Alert) -> dict[str, Any]:
    """JSON-ready data of one alert."""
    data: dict[str, Any] = {
        "id": alert.message_id,
        "conversation": alert.conversation,
        "number": alert.number,
        "update": alert.update,
        "kind": str(alert.kind),
        "severity": alert.severity.name.lower(),
        "subject": subject(alert),
        "title": alert.title,
        "topic": alert.topic,
        "at": words.iso(alert.at),
        "texts": list(alert.texts),
        "hosts_total": alert.hosts,
        "hosts": [_place(place) for place in alert.places],
        "further_hosts": list(alert.further),
        "executable": _program(alert.program) if alert.program else None,
        "links": [{"label": label, "url": url} for label, url in alert.actions],
        "console": alert.console,
    }
    if alert.failed:
        data["failed_before"] = list(alert.failed)
    if alert.unanswered:
        data["unanswered"] = list(alert.unanswered)
    if alert.digest:
        data["digest"] = alert.digest.plain()
    return data


def fitted(alert: Alert, limit: int, write: Callable[[Alert], bytes]) -> bytes:
    """The fullest message of at most `limit` octets; the barest one where even that is longer."""
    body = b""
    for places, names in STEPS:
        body = write(_shorter(alert, places, names))
        if len(body) <= limit:
            break
    return body


def _shorter(alert: Alert, places: int, names: int) -> Alert:
    if len(alert.places) <= places and len(alert.further) <= names:
        return alert
    others = (*(place.host for place in alert.places[places:]), *alert.further)
    left_out = max(0, len(others) - names)
    note = (f"… and {words.count(left_out, 'more host')}",) if left_out else ()
    return replace(
        alert,
        places=alert.places[:places],
        further=(*others[:names], *note),
        texts=alert.texts[: max(1, places)],
        total=alert.hosts,
    )


def _place(place: Place) -> dict[str, Any]:
    return {
        "host_id": place.host_id,
        "host": place.host,
        "site": place.site,
        "user": place.user,
        "macs": list(place.macs),
        "switch": place.switch,
        "port": place.port,
        "port_source": place.port_source or None,
        "port_seen": words.iso(place.port_seen) if place.port_seen is not None else None,
        "started": words.iso(place.at) if place.at is not None else None,
        "path": place.path,
        "parents": list(place.parents),
        "posture": place.posture,
        "access": place.access,
        "done": place.done,
        "link": place.link,
    }


def _program(program: Program) -> dict[str, Any]:
    return {
        "sha256": program.sha256,
        "name": program.name,
        "kind": program.kind,
        "size": program.size,
        "signer": program.signer,
        "product": program.product,
        "first_ran": words.iso(program.first_seen) if program.first_seen is not None else None,
        "hosts": program.hosts,
        "link": program.link,
    }
