"""Pictures of reports as inline SVG: a timeline of who ran what when, a curve of how many hosts had it. Pure.

Guarantees: text is escaped; colours come from classes of the page's one style sheet, so light and dark both work; no
script, no style attribute, nothing loaded. A picture has a title for those who do not see it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from api import words
from api.reports.values import DayReport, Patient, SpreadReport, WindowReport
from radius_policy.model import Micros
from radius_policy.zones import local

WIDTH: Final = 900
LABEL: Final = 170
ROW: Final = 22
HEAD: Final = 34
MOST_ROWS: Final = 100
SHORTEST: Final = 3.0
"""Pixels of the shortest bar: five milliseconds must be seen."""


def timeline(report: WindowReport) -> str:
    """A row for each host, a bar for each start, the window shaded; '' where there is nobody."""
    shown = report.hosts[:MOST_ROWS]
    if not shown:
        return ""
    margin = max((report.end - report.begin) // 10, 1_000_000)
    begin, end = report.begin - margin, report.end + margin
    scale = _Scale(begin, end)
    height = HEAD + ROW * len(shown) + 6
    left, right = scale.x(report.begin), scale.x(report.end)
    parts = [
        f'<rect class="shade" x="{left:.1f}" y="{HEAD}" width="{right - left:.1f}" height="{ROW * len(shown)}"/>',
        *_ticks(scale, (report.begin, report.end), report.scope.zone),
    ]
    for place, host in enumerate(shown):
        parts += _row(scale, host, HEAD + ROW * place, report.scope.zone)
    more = len(report.hosts) - len(shown)
    title = f"{words.count(len(report.hosts), 'host')}, first patient on top" + (f"; {more} more below" if more else "")
    return _svg(height, title, parts)


def _row(scale: "_Scale", host: Patient, top: int, zone: ZoneInfo) -> list[str]:
    parts = [_text(4, top + 15, _short(host.host, 24), "label")]
    for one in host.executables:
        start, end = scale.x(one.start), scale.x(one.end) if one.end is not None else float(WIDTH)
        told = f"{words.base_name(one.path)}, {one.verdict}, {_clock(one.start, zone)}"
        kind = f"bar {one.verdict}" + (" uncertain" if one.uncertain else "")
        parts.append(
            f'<rect class="{kind}" x="{start:.1f}" y="{top + 4}" width="{max(end - start, SHORTEST):.1f}" height="14" rx="2">'
            f"<title>{_safe(told)}</title></rect>"
        )
    return parts


def curve(report: SpreadReport) -> str:
    """How many hosts had it, over time."""
    firsts = [each.at for each in report.arrivals]
    if len(firsts) < 2 or firsts[0] == firsts[-1]:
        return ""
    scale, height = _Scale(firsts[0], firsts[-1]), 200
    room = height - HEAD - 10
    points = [f"{LABEL},{height - 10}"]
    for number, at in enumerate(firsts, 1):
        points.append(f"{scale.x(at):.1f},{height - 10 - room * number / len(firsts):.1f}")
    parts = [
        *_ticks(scale, (firsts[0], firsts[-1]), report.scope.zone),
        f'<polyline class="line" points="{" ".join(points)}"/>',
        _text(4, HEAD + 10, words.count(len(firsts), "host"), "label"),
    ]
    return _svg(height, f"hosts that had it, {words.count(len(firsts), 'host')} at the end", parts)


def sparkline(counts: Sequence[int], title: str) -> str:
    """A small curve for a line of a table."""
    top = max(counts, default=0)
    if not top:
        return ""
    step = 96 / max(len(counts) - 1, 1)
    points = " ".join(f"{place * step:.1f},{22 - 20 * count / top:.1f}" for place, count in enumerate(counts))
    return (
        f'<svg class="spark" viewBox="0 0 96 24" width="96" height="24" role="img"><title>{_safe(title)}</title>'
        f'<polyline class="line" points="{points}"/></svg>'
    )


def day_picture(report: DayReport) -> str:
    """How many executables were new in each hour, by section."""
    hours = max(1, -(-(report.end - report.begin) // 3_600_000_000))
    if not report.executables:
        return ""
    kinds = ("unknown", "graced", "allowed")
    counts = {kind: [0] * hours for kind in kinds}
    for each in report.executables:
        kind = str(each.verdict_then) if str(each.verdict_then) in kinds else "unknown"
        counts[kind][min(max((each.first_execution - report.begin) // 3_600_000_000, 0), hours - 1)] += 1
    top = max(sum(counts[kind][hour] for kind in kinds) for hour in range(hours))
    height, wide = 160, (WIDTH - LABEL) / hours
    room, parts = height - HEAD - 10, [_text(4, HEAD + 10, f"at most {top} in an hour", "label")]
    for hour in range(hours):
        base = float(height - 10)
        for kind in kinds:
            number = counts[kind][hour]
            tall = room * number / top
            base -= tall
            if number:
                parts.append(
                    f'<rect class="bar {kind}" x="{LABEL + hour * wide + 1:.1f}" y="{base:.1f}" '
                    f'width="{max(wide - 2, 1):.1f}" height="{tall:.1f}"><title>{number} {kind}</title></rect>'
                )
        if hour % 3 == 0:
            at = report.begin + hour * 3_600_000_000
            parts.append(_text(LABEL + hour * wide, HEAD - 14, _clock(at, report.scope.zone)[:5], "tick"))
    return _svg(height, f"new executables by hour of {report.day}", parts)


class _Scale:
    """From moments to pixels."""

    def __init__(self, begin: Micros, end: Micros) -> None:
        self._begin, self._span = begin, max(end - begin, 1)

    def x(self, at: Micros) -> float:
        share = min(max((at - self._begin) / self._span, 0.0), 1.0)
        return LABEL + share * (WIDTH - LABEL)


def _ticks(scale: _Scale, moments: Sequence[Micros], zone: ZoneInfo) -> list[str]:
    parts = []
    for place, at in enumerate(moments):
        x = scale.x(at)
        parts.append(f'<line class="tick" x1="{x:.1f}" y1="{HEAD - 8}" x2="{x:.1f}" y2="{HEAD}"/>')
        anchor = ' text-anchor="end"' if place == len(moments) - 1 and x > WIDTH - 80 else ""
        parts.append(_text(x, HEAD - 12, _clock(at, zone), "tick", anchor))
    return parts


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="picture" viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{_safe(title)}</title>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, kind: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(words.visible(text))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _clock(at: Micros, zone: ZoneInfo) -> str:
    return local(at, zone).strftime("%H:%M:%S")
