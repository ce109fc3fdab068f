"""What goes into a syslog message; the sending is tested with a real rsyslog."""

from typing import Any

import msgspec
import pytest

from api.alerts.syslog import DATAGRAM_LIMIT, STREAM_LIMIT, Syslog, SyslogChannel, facts

from .conftest import SHA
from .test_content import alert


def test_the_facts_name_one_host_and_how_many_there_are(office: Any) -> None:
    said = facts(alert(office, [office.runs(number) for number in range(1, 40)]))
    assert (said["sha256"], said["host"], said["port"], said["hosts"]) == (SHA, "PC-0001", "Gi1/0/1", "39")


@pytest.mark.parametrize(
    ("transport", "limit"), [("tls", STREAM_LIMIT), ("tcp", STREAM_LIMIT), ("udp", DATAGRAM_LIMIT)]
)
@pytest.mark.anyio
async def test_long_names_stay_within_what_a_receiver_must_take(
    office: Any, monkeypatch: pytest.MonkeyPatch, transport: Any, limit: int
) -> None:
    sent: list[bytes] = []

    async def keep(_self: Any, data: bytes) -> None:
        sent.append(data)

    for way in ("_stream", "_datagram"):
        monkeypatch.setattr(SyslogChannel, way, keep)
    events = [office.runs(n, name="N" * 253, program="/p/" + "x" * 3000) for n in range(1, 100)]
    await SyslogChannel(Syslog("siem", transport=transport), "nac").send(alert(office, events))
    assert len(sent[0]) <= limit + 6


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"host": "siem", "transport": "udp", "format": "ocsf"}, "datagram"),
        ({"host": "siem", "port": 0}, "port"),
        ({"host": "", "port": 514}, "host"),
        ({"host": "siem", "facility": "kernel"}, "facility"),
    ],
)
def test_a_receiver_that_makes_no_sense_is_refused(value: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"type": "syslog", **value}, Syslog)
