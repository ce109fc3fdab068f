"""JSON lines in the Elastic Common Schema: process starts and ends as Winlogbeat, Auditbeat and Elastic Agent write them.

Guarantees: nested and dotted field names are the same; a line that is no JSON is refused with file, line and what is
wrong; a line about something else is passed over. A start without `process.hash.sha256` is unjudgeable.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from radius_policy.model import Micros
from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded.told import Ended, Told
from radius_policy.zones import micros

_STARTS: Final = frozenset(("start", "creation", "process_started", "exec", "executed", "process-started"))
_ENDS: Final = frozenset(("end", "process_stopped", "process-stopped", "terminated"))
_HEX: Final = frozenset("0123456789abcdef")


def read(path: Path) -> Iterator[Told | Ended]:
    """The starts and ends in a file, gzipped or not. HistoryError for a line that is no JSON object."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.isspace():
                    continue
                try:
                    told = of_event(json.loads(line))
                except (ValueError, TypeError, AttributeError) as error:
                    raise HistoryError(f"{path.name}, line {number}: {error}") from error
                if told is not None:
                    yield told
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryError(f"{path}: {error}") from error


def of_event(event: dict[str, Any]) -> Told | Ended | None:
    """What one event tells; None where it is about something else. ValueError for a start without host or time."""
    if not isinstance(event, dict):
        raise ValueError("an event is a JSON object")
    words = {str(word) for name in ("event.type", "event.action") for word in _several(_get(event, name))}
    starting, ending = bool(words & _STARTS), bool(words & _ENDS)
    if not (starting or ending) or "process" not in _several(_get(event, "event.category"), "process"):
        return None
    host = _text(event, "host.name", "host.hostname", "host.id", "agent.hostname")
    if not host:
        raise ValueError("no host.name")
    process = _text(event, "process.entity_id", "process.pid")
    if not starting:
        return Ended("ecs", host, _instant(_text(event, "process.end", "@timestamp")), process)
    sha256 = _text(event, "process.hash.sha256", "hash.sha256").lower()
    whole = len(sha256) == 64 and set(sha256) <= _HEX
    parent_sha = _text(event, "process.parent.hash.sha256").lower()
    return Told(
        "ecs",
        host,
        _instant(_text(event, "process.start", "@timestamp")),
        _text(event, "process.executable", "process.name"),
        process,
        _number(_get(event, "process.pid")) or 0,
        sha256 if whole else None,
        _user(event),
        _text(event, "process.parent.executable", "process.parent.name"),
        _number(_get(event, "process.parent.pid")),
        parent_sha if len(parent_sha) == 64 and set(parent_sha) <= _HEX else None,
        signer=_text(event, "process.code_signature.subject_name") or None,
        signer_state=_signature(event),
        product=_text(event, "process.pe.product") or None,
        version=_text(event, "process.pe.file_version") or None,
        judgeable=whole,
        mac=_mac(event),
    )


def _get(event: dict[str, Any], name: str) -> Any:
    """The field of a dotted name, however its parts are nested."""
    if name in event:
        return event[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = event.get(head)
        if isinstance(inner, dict) and (found := _get(inner, rest)) is not None:
            return found
        more, _, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def _several(value: Any, default: str = "") -> list[str]:
    if value is None:
        return [default]
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _text(event: dict[str, Any], *names: str) -> str:
    """The first of the fields that is there."""
    for name in names:
        value = _get(event, name)
        if value is not None and value != "":
            return str(value[0] if isinstance(value, list) and value else value)
    return ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdigit() else None


def _user(event: dict[str, Any]) -> str:
    return "\\".join(part for part in (_text(event, "user.domain"), _text(event, "user.name", "user.id")) if part)


def _signature(event: dict[str, Any]) -> str | None:
    exists, valid = _get(event, "process.code_signature.exists"), _get(event, "process.code_signature.valid")
    trusted = _get(event, "process.code_signature.trusted")
    if exists is False:
        return "unsigned"
    if valid is None and trusted is None:
        return None
    return "valid" if valid is not False and trusted is not False else "invalid"


def _mac(event: dict[str, Any]) -> str | None:
    """ECS writes `00-00-5E-00-53-23`."""
    text = _text(event, "host.mac").lower().replace("-", ":")
    parts = text.split(":")
    return text if len(parts) == 6 and all(len(part) == 2 and set(part) <= _HEX for part in parts) else None


def _instant(text: str) -> Micros:
    if not text:
        raise ValueError("no @timestamp")
    moment = datetime.fromisoformat(text)
    return micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
