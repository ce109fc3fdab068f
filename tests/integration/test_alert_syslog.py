"""Alerts at a real rsyslog: over TLS, TCP and UDP, whole and unforgeable, and told as failed when it is not there."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from api import tls
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.content import Alert
from api.alerts.syslog import Syslog, SyslogChannel
from radius_policy.store.memory import MemoryStore
from tests.unit.api.alerts.conftest import HOSTILE, SHA, Office
from tests.unit.api.alerts.test_content import alert as alert_of

pytestmark = [pytest.mark.anyio, pytest.mark.peer("rsyslog")]

SHOWN = (
    'template(name="shown" type="string" string="%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%msgid%|'
    '%structured-data%|%msg%\\n")\n'
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Rsyslog:
    """A running rsyslogd and the lines that it wrote."""

    port: int
    out: Path
    process: subprocess.Popen[bytes]

    def lines(self, count: int) -> list[str]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = self.out.read_text(encoding="utf-8").splitlines() if self.out.exists() else []
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"rsyslog wrote {self.out.read_text() if self.out.exists() else 'nothing'}")


@contextmanager
def rsyslog(folder: Path, transport: str, material: tls.Material | None = None, port: int = 0) -> Iterator[Rsyslog]:
    """rsyslogd with a configuration of its own, on a port of the loopback."""
    port = port or free_port()
    out, ready = folder / "out.log", folder / "rsyslog.pid"
    config = f'global(workDirectory="{folder}")\n{SHOWN}'
    if material:
        config += (
            f'global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{material.ca_file}" '
            f'DefaultNetstreamDriverCertFile="{material.certificate_file}" DefaultNetstreamDriverKeyFile="{material.key_file}")\n'
            'module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon" MaxSessions="50")\n'
        )
    elif transport == "tcp":
        config += 'module(load="imtcp")\n'
    kind = "imudp" if transport == "udp" else "imtcp"
    config += 'module(load="imudp")\n' if transport == "udp" else ""
    config += f'input(type="{kind}" port="{port}" address="127.0.0.1")\n'
    config += f'action(type="omfile" file="{out}" template="shown")\n'
    file = folder / "rsyslog.conf"
    file.write_text(config, encoding="utf-8")
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin") or "rsyslogd"
    log = (folder / "rsyslog.stderr").open("wb")
    with log, subprocess.Popen([program, "-n", "-f", str(file), "-i", str(ready)], stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 10
            while not _listening(port, transport):
                assert process.poll() is None, (folder / "rsyslog.stderr").read_text()
                assert time.monotonic() < deadline, "rsyslogd does not listen"
                time.sleep(0.02)
            yield Rsyslog(port, out, process)
        finally:
            process.terminate()
            process.wait(10)


def _listening(port: int, transport: str) -> bool:
    if transport == "udp":
        return any(f":{port:04X} " in line for line in Path("/proc/net/udp").read_text().splitlines())
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> tls.Material:
    return tls.prepare(tmp_path_factory.mktemp("syslog"), ("localhost", "127.0.0.1"))


@pytest.fixture
def alert() -> Alert:
    office = Office(MemoryStore())
    return alert_of(office, [office.runs(17)])


def channel(port: int, material: tls.Material, **given: Any) -> SyslogChannel:
    spec = Syslog(**{"host": "localhost", "port": port, "ca_file": str(material.ca_file), **given})
    return SyslogChannel(spec, "nac.example.org")


async def test_an_alert_over_tls_arrives_whole_with_its_facts(
    tmp_path: Path, material: tls.Material, alert: Alert
) -> None:
    with rsyslog(tmp_path, "tls", material) as receiver:
        await channel(receiver.port, material).send(alert)
        await channel(receiver.port, material).send(replace(alert, message_id="b" * 32))
        first, second = receiver.lines(2)
    priority, at, host, app, kind, data, message = first.split("|", 6)
    assert (priority, host, app, kind) == ("36", "nac.example.org", "pratique", "unknown_ran")  # auth.warning
    assert at.startswith("2026-11-21T07:41:00")
    for fact in (f'sha256="{SHA}"', 'host="PC-0017"', 'switch="Switch 1"', 'port="Gi1/0/17"', 'user="anna"'):
        assert fact in data
    assert message.lstrip("\ufeff").startswith("Unknown executable ran on PC-0017: invoice.exe [3f9ac2d1].")
    assert f'id="{"b" * 32}"' in second


async def test_a_hostile_name_neither_ends_the_structured_data_nor_begins_a_line(
    tmp_path: Path, material: tls.Material
) -> None:
    office = Office(MemoryStore())
    nasty = HOSTILE + '"] [fake@1 host="innocent"]\n<34>1 - evil - - - - forged'
    given = alert_of(office, [office.runs(1, name=nasty, program=f"/tmp/{nasty}")])
    with rsyslog(tmp_path, "tls", material) as receiver:
        await channel(receiver.port, material).send(given)
        await channel(receiver.port, material).send(replace(given, message_id="end"))
        lines = receiver.lines(2)
    assert len(lines) == 2
    data = lines[0].split("|", 6)[5]
    assert data.count("[pratique@32473 ") == 1
    assert '[fake@1 host="innocent"' not in data.replace('\\"', "").replace("\\]", "")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_plain_transports_deliver_too(
    tmp_path: Path, material: tls.Material, alert: Alert, transport: str
) -> None:
    with rsyslog(tmp_path, transport) as receiver:
        await channel(receiver.port, material, host="127.0.0.1", transport=transport).send(alert)
        [line] = receiver.lines(1)
    assert "invoice.exe" in line


@pytest.mark.parametrize("format_", ["ocsf", "cloudevents"])
async def test_json_arrives_as_json(tmp_path: Path, material: tls.Material, alert: Alert, format_: str) -> None:
    with rsyslog(tmp_path, "tls", material) as receiver:
        await channel(receiver.port, material, format=format_).send(alert)
        [line] = receiver.lines(1)
    data = json.loads(line.split("|", 6)[6])
    assert SHA in json.dumps(data)


async def test_a_receiver_with_a_strange_certificate_is_refused(
    tmp_path: Path, material: tls.Material, alert: Alert
) -> None:
    with (
        rsyslog(tmp_path, "tls", material) as receiver,
        pytest.raises(ChannelRefused, match="certificate that is not trusted"),
    ):
        await channel(receiver.port, material, ca_file="").send(alert)


async def test_a_receiver_that_is_away_is_down_and_one_that_only_accepts_is_not_believed(
    tmp_path: Path, material: tls.Material, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.alerts import syslog

    monkeypatch.setattr(syslog, "CLOSE_S", 0.5)
    with pytest.raises(ChannelDown, match="cannot be reached"):
        await channel(free_port(), material).send(alert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(material.certificate_file, material.key_file)

    listening = socket.create_server(("127.0.0.1", 0))

    def deaf() -> None:
        """Shakes hands and then reads nothing, as a receiver that hangs does."""
        raw, _ = listening.accept()
        with context.wrap_socket(raw, server_side=True):
            done.wait(10)

    done = threading.Event()
    thread = threading.Thread(target=deaf)
    thread.start()
    try:
        with pytest.raises(ChannelDown):
            await channel(listening.getsockname()[1], material).send(alert)
    finally:
        done.set()
        thread.join(10)
        listening.close()


async def test_what_was_sent_while_rsyslog_was_killed_is_told_again(
    tmp_path: Path, material: tls.Material, alert: Alert
) -> None:
    """Each message either arrived or was told as failed: none is believed and lost."""
    port = free_port()
    believed: list[str] = []
    with rsyslog(tmp_path, "tls", material, port) as receiver:
        for number in range(30):
            name = f"{number:032x}"
            if number == 10:
                receiver.process.kill()
            try:
                await channel(port, material).send(replace(alert, message_id=name))
            except ChannelDown:
                continue
            believed.append(name)
        receiver.process.wait(10)
    written = (tmp_path / "out.log").read_text(encoding="utf-8")
    assert 1 <= len(believed) <= 10
    missing = [name for name in believed if f'id="{name}"' not in written]
    assert len(missing) <= 1, "only what rsyslog had read and not written when it was killed can be lost"
