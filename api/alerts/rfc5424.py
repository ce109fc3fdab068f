"""One syslog message (RFC 5424), as octets. Pure.

Guarantees: header fields have only the characters and lengths of section 6 (anything else becomes `-` or is cut),
values of structured data are escaped (6.3.3: `"`, `\\` and `]`), so nothing an endpoint named can end an element or
begin a line; text is UTF-8 with the BOM (6.4). `counted` is the framing of TLS and TCP (RFC 5425 4.3, RFC 6587 3.4.1).

Pratique has no enterprise number of its own; its structured data is named by the one for documentation (RFC 5612).
"""

from collections.abc import Mapping
from typing import Final, Literal

from api import words
from radius_policy.model import Micros, Severity

Facility = Literal[
    "user", "daemon", "auth", "authpriv", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"
]
FACILITY: Final[Mapping[str, int]] = {
    "user": 1, "daemon": 3, "auth": 4, "authpriv": 10, **{f"local{n}": 16 + n for n in range(8)},
}  # fmt: skip
SEVERITY: Final = {Severity.INFO: 6, Severity.WARNING: 4, Severity.URGENT: 1}
"""Informational, warning, alert (section 6.2.1)."""
SD_ID: Final = "pratique@32473"
BOM: Final = b"\xef\xbb\xbf"


def line(
    *,
    severity: Severity,
    at: Micros,
    host: str,
    message_id: str,
    data: Mapping[str, str],
    message: bytes,
    facility: str = "auth",
) -> bytes:
    """HEADER SP STRUCTURED-DATA SP MSG. `message_id` is the MSGID (what kind of event), `data` the parameters of our element."""
    priority = FACILITY[facility] * 8 + SEVERITY[severity]
    header = f"<{priority}>1 {words.iso(at)} {_field(host, 255)} pratique - {_field(message_id, 32)} {_element(data)} "
    return header.encode() + message


def text(said: str) -> bytes:
    """MSG-UTF8: the BOM and the text, on one line."""
    return BOM + " ".join(said.split()).encode()


def counted(message: bytes) -> bytes:
    """The frame of a message in a stream: its length in octets, a space, the message."""
    return str(len(message)).encode() + b" " + message


def escaped(value: str) -> str:
    """A PARAM-VALUE (6.3.3)."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _element(data: Mapping[str, str]) -> str:
    given = "".join(f' {_field(name, 32)}="{escaped(words.visible(value))}"' for name, value in data.items() if value)
    return f"[{SD_ID}{given}]" if given else "-"


def _field(value: str, limit: int) -> str:
    """PRINTUSASCII without what a parameter's name may not have, or the NILVALUE."""
    kept = "".join(c for c in value if 33 <= ord(c) <= 126 and c not in '="]')
    return kept[:limit] or "-"
