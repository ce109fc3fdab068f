"""Small reports for the renderers' tests, with names that an endpoint might choose to do harm."""

from zoneinfo import ZoneInfo

from api.reports.values import (
    Arrival,
    DayReport,
    NewExecutable,
    NewHere,
    Patient,
    Running,
    Scope,
    SpreadReport,
    WindowReport,
)
from radius_policy.model import SECOND, VerdictWord

HOUR = 3600 * SECOND
BEGIN = 1_795_215_600 * SECOND
"""Saturday 2026-11-21 00:00 in Berlin."""
HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>\u202egpj.exe'
SCOPE = Scope("", ZoneInfo("Europe/Berlin"))


def new(sha256: str = "a" * 64, then: VerdictWord = VerdictWord.UNKNOWN, path: str = "/tmp/x") -> NewExecutable:
    return NewExecutable(
        sha256, path, "elf", "", "", "", BEGIN + 8 * HOUR, "anna", BEGIN + 9 * HOUR, then, "why", "", then, "why", None,
        ("anna", "boris"), ("CORP\\anna",), ("/bin/sh",), "told", 2, (0, 1, 2),
    )  # fmt: skip


def day(*executables: NewExecutable) -> DayReport:
    here = NewHere("c" * 64, "/usr/bin/known", BEGIN - HOUR, VerdictWord.ALLOWED, ("clara",))
    return DayReport(SCOPE, "2026-11-21", BEGIN, BEGIN + 24 * HOUR, executables, (here,))


def window(*names: str, path: str = "/tmp/x", uncertain: bool = False, end: int | None = None) -> WindowReport:
    start = BEGIN + 8 * HOUR
    patients = tuple(
        Patient(
            f"id-{name}", name, "main", "02:00:00:00:00:01", "sw-1", "Gi1/0/1",
            (Running("a" * 64, path, start + place * SECOND, end, uncertain, VerdictWord.UNKNOWN, "why", "anna", "/bin/sh", f"e{place}"),),
        )
        for place, name in enumerate(names)
    )  # fmt: skip
    return WindowReport(SCOPE, start, start + HOUR, patients)


def spread(count: int = 3, path: str = "/tmp/x") -> SpreadReport:
    arrivals = tuple(
        Arrival(f"pc-{n}", f"id-{n}", "main", BEGIN + n * HOUR, VerdictWord.UNKNOWN, "anna", path, "/bin/sh", "", "")
        for n in range(count)
    )
    return SpreadReport(
        SCOPE, "a" * 64, path, "", "", VerdictWord.UNKNOWN, "why", arrivals, count, 3600.0, {"main": count}
    )
