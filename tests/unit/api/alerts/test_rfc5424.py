"""A syslog line is one line of RFC 5424, whatever an endpoint calls its files."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from api.alerts import rfc5424
from radius_policy.model import Severity

from .conftest import HOSTILE, T0

LINE = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) pratique - ([!-~]{1,32}) "
    rb'(-|\[pratique@32473(?: [!-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\]) (.*)',
    re.DOTALL,
)


def made(data: dict[str, str], text: str = "said", host: str = "nac", kind: str = "unknown_ran") -> bytes:
    return rfc5424.line(
        severity=Severity.WARNING, at=T0, host=host, message_id=kind, data=data, message=rfc5424.text(text)
    )


def test_a_line_has_priority_time_host_kind_facts_and_text() -> None:
    assert made({"user": "anna", "port": ""}) == (
        b'<36>1 2026-11-21T07:41:00.000Z nac pratique - unknown_ran [pratique@32473 user="anna"] \xef\xbb\xbfsaid'
    )


def test_severity_and_facility_make_the_priority() -> None:
    urgent = rfc5424.line(
        severity=Severity.URGENT, at=T0, host="n", message_id="m", data={}, message=b"x", facility="local0"
    )
    assert urgent.startswith(b"<129>1 ")
    assert b" - x" in urgent


def test_the_frame_counts_octets_and_not_characters() -> None:
    assert rfc5424.counted("ä".encode()) == b"2 \xc3\xa4"


@given(st.text(), st.text(), st.text(), st.text())
@example(HOSTILE, '"] evil', "]\\", "\n<13>1 - - - - - -")
def test_no_value_ends_its_place(value: str, host: str, kind: str, text: str) -> None:
    line = made({"path": value, "user": host}, text, host, kind)
    parts = LINE.fullmatch(line)
    assert parts, line
    assert b"\n" not in line
    assert parts[6].startswith(rfc5424.BOM)


@given(st.text())
def test_an_escaped_value_reads_back(value: str) -> None:
    assert re.sub(r'\\(["\\\]])', r"\1", rfc5424.escaped(value)) == value
