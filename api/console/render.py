"""From a template and values to an answer, with the headers that keep a page to itself.

Guarantees: autoescape everywhere, no inline script or style (the content security policy would stop both), nothing
cached, and times in the site's zone with the exact UTC moment in the markup.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from api import words
from radius_policy.model import SECOND, Micros

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. `values` need `zone` and `now` where the template shows times."""
    return HTMLResponse(_environment.get_template(template).render(values), status, headers=HEADERS)


def secured(response: Response) -> Response:
    """The same headers on any other answer of the console."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@pass_context
def _when(context: Context, at: Micros | None) -> Markup:
    """A time today as `08:41:03`, this year as `21 Nov 08:41`, else with the year; UTC and the full date on hover."""
    if at is None:
        return Markup("–")
    zone: ZoneInfo = context["zone"]
    now: Micros = context["now"]
    local, today = words.local(at, zone), words.local(now, zone)
    if local.date() == today.date():
        shown = f"{local:%H:%M:%S}"
    elif local.year == today.year:
        shown = f"{local.day} {local:%b %H:%M}"
    else:
        shown = f"{local.day} {local:%b %Y %H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(words.iso(at), words.moment(at, zone), shown)


@pass_context
def _ago(context: Context, at: Micros | None) -> str:
    """`12 s`, `3 min`, `5 h`, `2 d` before now."""
    if at is None:
        return "never"
    seconds = max(0, (context["now"] - at) // SECOND)
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _octets(size: int | None) -> str:
    if size is None:
        return "–"
    for unit, factor in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} octets"


def _release() -> str:
    try:
        return version("pratique")
    except PackageNotFoundError:
        return ""


_environment.filters |= {
    "when": _when,
    "ago": _ago,
    "octets": _octets,
    "count": words.count,
    "visible": words.visible,
    "posture": lambda text: str(text).replace("_", " "),
}
_environment.globals |= {"release": _release(), "event_title": words.event_title}
