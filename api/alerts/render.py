"""An alert in words: subject, text and HTML, from the templates beside this file.

Guarantees: pure; HTML is escaped by default, nothing in it is loaded from anywhere, and a missing value is an error of
ours at once (StrictUndefined) instead of a gap in a mail. The subject is one line of at most 160 characters.
"""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api import words
from api.alerts.content import Alert
from radius_policy.model import Micros, Severity

SUBJECT_LIMIT = 160


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a person reads."""

    subject: str
    text: str
    html: str


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters["count"] = words.count


def subject(alert: Alert) -> str:
    """For example `Unknown program ran on PC-0417: invoice.exe [3f9ac2d1]`."""
    where = f" on {alert.places[0].host}" if len(alert.places) == 1 and not alert.further else ""
    if alert.hosts > 1:
        where = f" on {words.count(alert.hosts, 'more host') if alert.update else words.count(alert.hosts, 'host')}"
    what = f": {_short(alert.program.name, 60)} [{alert.program.sha256[:8]}]" if alert.program else ""
    if alert.digest:
        said = f"{alert.digest.name.capitalize()} digest, {alert.digest.span}: {alert.digest.summary}"
        return _short(words.visible(said), SUBJECT_LIMIT)
    if len(alert.unanswered) > 1:
        return f"URGENT: nobody has acknowledged {words.count(len(alert.unanswered), 'urgent alert')}"
    urgent = "URGENT: " if alert.severity is Severity.URGENT else ""
    urgent = "URGENT, not acknowledged: " if alert.unanswered else urgent
    return _short(words.visible(f"{urgent}{alert.title}{_short(where, 60)}{what}"), SUBJECT_LIMIT)


def render(alert: Alert) -> Rendered:
    """The whole message."""

    def when(at: Micros) -> str:
        return words.moment(at, alert.zone)

    values = {"alert": alert, "when": when, "subject": subject(alert), "urgent": alert.severity is Severity.URGENT}
    name = "digest" if alert.digest else "alert"
    return Rendered(
        subject=subject(alert),
        text=_environment.get_template(f"{name}.txt").render(values),
        html=_environment.get_template(f"{name}.html").render(values),
    )


BRIEF_HOSTS = 3


def brief(alert: Alert) -> tuple[str, str]:
    """(title, text) for a chat or a phone: what, where, what was done, and where to decide."""
    if alert.digest:
        return subject(alert), f"{alert.digest.summary}\n{alert.console}digest/{alert.digest.name}"
    lines = [*(alert.unanswered[:BRIEF_HOSTS] or alert.texts[:BRIEF_HOSTS])]
    for place in alert.places[:BRIEF_HOSTS]:
        where = f"{place.switch} port {place.port}" if place.switch or place.port else "switch not known"
        user = f", {place.user}" if place.user else ""
        lines.append(f"{place.host} ({', '.join(place.macs[:2]) or 'no MAC'}, {where}{user}): {place.done}")
    if alert.hosts > BRIEF_HOSTS:
        lines.append(f"and {words.count(alert.hosts - BRIEF_HOSTS, 'more host')}")
    lines += [f"{label}: {address}" for label, address in alert.actions]
    lines.append(f"Look: {alert.program.link if alert.program else alert.console}")
    return subject(alert), "\n".join(lines)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
