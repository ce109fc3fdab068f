"""Linux audit logs: the execve records of auditd, as the kernel writes them.

Guarantees: the records of one event belong together by its serial number, whatever their order; what is missing (a lost
SYSCALL record) is missing; a failed execve is no start. auditd tells no hash, ever, so all of it is unjudgeable.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded.told import Told

_RECORD: Final = re.compile(r"(?:node=(\S+) )?type=(\S+) msg=audit\((\d+)\.(\d+):(\d+)\): ?(.*)")
_FIELD: Final = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S+)")
EXECUTES: Final = {
    "c000003e": frozenset(("59", "322")),
    "40000003": frozenset(("11", "358")),
    "c00000b7": frozenset(("221", "281")),
}
"""execve and execveat by architecture (x86_64, i386, aarch64)."""
_DELETED: Final = " (deleted)"
Key = tuple[str, str, str, str]


def read(path: Path) -> Iterator[Told]:
    """The starts in a log, in the order in which their events began. HistoryError where the file cannot be read."""
    events: dict[Key, dict[str, dict[str, str]]] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                record = _RECORD.match(line.strip())
                if record is None:
                    continue
                node, kind, seconds, fraction, serial, rest = record.groups()
                fields = {name: _value(text) for name, text in _FIELD.findall(rest)}
                if kind == "PATH" and fields.get("item", "0") != "0":
                    continue
                events.setdefault((node or path.stem, seconds, fraction, serial), {}).setdefault(kind, fields)
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}") from error
    for key, records in events.items():
        told = _start(key, records)
        if told is not None:
            yield told


def _start(key: Key, records: dict[str, dict[str, str]]) -> Told | None:
    node, seconds, fraction, serial = key
    call, run = records.get("SYSCALL"), records.get("EXECVE")
    if call is None and run is None:
        return None
    if call is not None:
        executes = call.get("syscall") in EXECUTES.get(call.get("arch", ""), frozenset(("execve", "execveat")))
        if not executes or call.get("success") != "yes":
            return None
    call = call or {}
    path = call.get("exe") or records.get("PATH", {}).get("name") or (run or {}).get("a0", "")
    pid = call.get("pid", "")
    parent = call.get("ppid", "")
    return Told(
        "auditd",
        node,
        int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6]),
        path.removesuffix(_DELETED),
        f"{pid}/{serial}",
        int(pid) if pid.isdigit() else 0,
        user=call.get("AUID") or call.get("UID") or (f"uid:{call['auid']}" if "auid" in call else ""),
        parent_pid=int(parent) if parent.isdigit() else None,
        kind="elf",
        judgeable=False,
    )


def _value(text: str) -> str:
    """A field's value: quoted, or in hexadecimal where it has octets that a quote could not hold."""
    if text[:1] in ("'", '"'):
        return text[1:-1]
    if len(text) >= 8 and len(text) % 2 == 0 and re.fullmatch(r"[0-9A-F]+", text):
        return bytes.fromhex(text).decode("utf-8", "replace")
    return text
