"""Reports as JSON: the shapes that scripts rely on (docs/reference/reports). Times are ISO 8601 with the zone's offset."""

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from api.reports.values import (
    Arrival,
    DayReport,
    NewExecutable,
    Patient,
    Running,
    SpreadReport,
    WindowReport,
)
from radius_policy.model import Micros
from radius_policy.zones import local

When = Callable[[Micros], str]


def render(report: DayReport | WindowReport | SpreadReport) -> str:
    return json.dumps(plain(report), indent=2, ensure_ascii=False) + "\n"


def plain(report: DayReport | WindowReport | SpreadReport) -> dict[str, Any]:
    """The report as JSON data."""
    when = clock(report.scope.zone)
    match report:
        case DayReport():
            return _day(report, when)
        case WindowReport():
            return _window(report, when)
        case SpreadReport():
            return _spread(report, when)


def clock(zone: ZoneInfo) -> When:
    """How moments are written."""
    return lambda at: local(at, zone).isoformat()


def _day(report: DayReport, when: When) -> dict[str, Any]:
    return {
        "day": report.day,
        "site": report.scope.site or None,
        "timezone": report.scope.zone.key,
        "begin": when(report.begin),
        "end": when(report.end),
        "executables": [_executable(each, when) for each in report.executables],
        "new_on_host": [
            {
                "sha256": each.sha256,
                "path": each.path,
                "first_execution": when(each.first_execution),
                "verdict_now": str(each.verdict_now),
                "hosts": list(each.hosts),
            }
            for each in report.new_here
        ],
        "unreadable": [
            {
                "execution": each.execution,
                "host": each.host,
                "path": each.path,
                "start": when(each.start),
                "verdict": str(each.verdict),
            }
            for each in report.unreadable
        ],
    }


def _executable(each: NewExecutable, when: When) -> dict[str, Any]:
    return {
        "sha256": each.sha256,
        "first_execution": when(each.first_execution),
        "verdict_then": str(each.verdict_then),
        "verdict_now": str(each.verdict_now),
        "hosts": list(each.hosts),
        "hosts_now": each.hosts_now,
        "users": list(each.users),
        "path": each.path,
        "kind": each.kind,
        "family": each.family or None,
        "signer": each.signer or None,
        "provenance": each.provenance or None,
        "parents": list(each.parents),
        "first_host": each.first_host,
        "last_execution": when(each.last_execution),
        "reason_then": each.reason_then,
        "reason_now": each.reason_now,
        "rule": each.rule or None,
        "grace_until": when(each.grace_until) if each.grace_until is not None else None,
        "action": each.action,
        "curve": list(each.curve),
    }


def _window(report: WindowReport, when: When) -> dict[str, Any]:
    return {
        "from": when(report.begin),
        "to": when(report.end),
        "site": report.scope.site or None,
        "timezone": report.scope.zone.key,
        "notes": report.notes or None,
        "hosts": [_patient(each, when) for each in report.hosts],
    }


def _patient(each: Patient, when: When) -> dict[str, Any]:
    return {
        "host": each.host,
        "host_id": each.host_id,
        "site": each.site,
        "mac": each.mac or None,
        "switch": each.switch or None,
        "port": each.port or None,
        "port_source": each.port_source or None,
        "executables": [_running(one, when) for one in each.executables],
    }


def _running(one: Running, when: When) -> dict[str, Any]:
    return {
        "sha256": one.sha256,
        "start": when(one.start),
        "end": when(one.end) if one.end is not None else None,
        "uncertain": one.uncertain,
        "path": one.path,
        "verdict": str(one.verdict),
        "reason": one.reason,
        "user": one.user or None,
        "parent": one.parent or None,
    }


def _spread(report: SpreadReport, when: When) -> dict[str, Any]:
    return {
        "sha256": report.sha256,
        "site": report.scope.site or None,
        "timezone": report.scope.zone.key,
        "path": report.path,
        "signer": report.signer or None,
        "family": report.family or None,
        "verdict_now": str(report.verdict_now),
        "reason_now": report.reason_now,
        "hosts": report.hosts,
        "sites": report.sites,
        "doubling_s": report.doubling_s,
        "arrivals": [_arrival(each, when) for each in report.arrivals],
    }


def _arrival(each: Arrival, when: When) -> dict[str, Any]:
    return {
        "host": each.host,
        "host_id": each.host_id,
        "site": each.site,
        "at": when(each.at),
        "verdict": str(each.verdict),
        "user": each.user or None,
        "path": each.path,
        "parent": each.parent or None,
        "wrote": each.wrote or None,
        "provenance": each.provenance or None,
    }
