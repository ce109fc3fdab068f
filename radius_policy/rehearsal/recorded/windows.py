"""Windows event logs (*.evtx): Sysmon events 1 and 5, Security events 4688 and 4689.

Guarantees: a damaged record is counted and the next one read; a file that is no event log is refused by name. A 4688
carries no hash, ever, so what it tells is unjudgeable (tables.md, Verdict).
"""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from radius_policy.model import Micros
from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded.told import Ended, Told
from radius_policy.zones import micros

MOST_DAMAGED: Final = 10_000
_SHA256: Final = re.compile(r"(?:^|,)SHA256=([0-9A-Fa-f]{64})(?:,|$)")

_log = logging.getLogger(__name__)


def read(path: Path) -> Iterator[Told | Ended]:
    """The starts and ends in a log. HistoryError where it cannot be read."""
    from evtx import PyEvtxParser

    damaged = 0
    try:
        records = iter(PyEvtxParser(str(path)).records_json())
    except (OSError, RuntimeError) as error:
        raise HistoryError(f"{path.name}: no readable Windows event log: {error}") from error
    while damaged <= MOST_DAMAGED:
        try:
            record = next(records, None)
            if record is None:
                break
            told = of_event(json.loads(str(record["data"]), strict=False)["Event"])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            damaged += 1
            _log.debug("%s: a damaged record: %s", path.name, error)
            continue
        if told is not None:
            yield told
    if damaged:
        _log.warning("%s: %d damaged records were passed over", path.name, damaged)


def of_event(event: dict[str, Any]) -> Told | Ended | None:
    """What one event tells; None where it tells of no start and no end."""
    system = event["System"]
    provider, number = system["Provider"]["#attributes"]["Name"], system["EventID"]
    number = number["#text"] if isinstance(number, dict) else number
    data: dict[str, Any] = event.get("EventData") or {}
    host = str(system["Computer"])
    at = _instant(system["TimeCreated"]["#attributes"]["SystemTime"])
    match provider, number:
        case "Microsoft-Windows-Sysmon", 1:
            return _sysmon(host, _sysmon_time(data, at), data)
        case "Microsoft-Windows-Sysmon", 5:
            return Ended("sysmon", host, _sysmon_time(data, at), _process(data))
        case "Microsoft-Windows-Security-Auditing", 4688:
            return _security(host, at, data)
        case "Microsoft-Windows-Security-Auditing", 4689:
            return Ended("security", host, at, str(_number(data.get("ProcessId"))))
    return None


def _sysmon(host: str, at: Micros, data: dict[str, Any]) -> Told:
    found = _SHA256.search(str(data.get("Hashes") or data.get("Hash") or ""))
    return Told(
        "sysmon",
        host,
        at,
        str(data.get("Image") or ""),
        _process(data),
        _number(data.get("ProcessId")),
        found[1].lower() if found else None,
        str(data.get("User") or ""),
        str(data.get("ParentImage") or ""),
        _number(data.get("ParentProcessId")) or None,
        product=_known(data.get("Product")),
        version=_known(data.get("FileVersion")),
        kind="pe",
        judgeable=found is not None,
    )


def _security(host: str, at: Micros, data: dict[str, Any]) -> Told:
    pid = _number(data.get("NewProcessId"))
    domain, name = str(data.get("SubjectDomainName") or ""), str(data.get("SubjectUserName") or "")
    return Told(
        "security",
        host,
        at,
        str(data.get("NewProcessName") or ""),
        str(pid),
        pid,
        user="\\".join(part for part in (domain, name) if part not in ("", "-")),
        parent=str(data.get("ParentProcessName") or ""),
        parent_pid=_number(data.get("ProcessId")) or None,
        kind="pe",
        judgeable=False,
    )


def _process(data: dict[str, Any]) -> str:
    return str(data.get("ProcessGuid") or _number(data.get("ProcessId")))


def _known(value: Any) -> str | None:
    """A version resource's field; '-' and '?' are how Sysmon says that there is none."""
    text = str(value or "").strip()
    return text if text not in ("", "-", "?") else None


def _number(value: Any) -> int:
    """A process id, which 4688 writes in hexadecimal."""
    try:
        return value if isinstance(value, int) else int(str(value), 0)
    except ValueError:
        return 0


def _sysmon_time(data: dict[str, Any], written: Micros) -> Micros:
    """When the process was created; when the event was written, where that is not told."""
    try:
        return _instant(str(data["UtcTime"]))
    except (KeyError, ValueError):
        return written


def _instant(text: str) -> Micros:
    moment = datetime.fromisoformat(text)
    return micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
