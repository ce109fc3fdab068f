"""Independent implementations against ours: pyrad, scapy (the lab switch's codec), radclient, and FreeRADIUS as a NAS."""

import asyncio
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrad import packet as pyrad_packet

from lab.switch import codec
from radius_policy.coa.client import CoaClient, GaveUp, Request
from radius_policy.coa.shell import CoaShell
from radius_policy.model import Access, OrderState
from radius_policy.radius.attributes import read_vlan, write_number, write_vlan
from radius_policy.radius.dictionary import dictionary
from radius_policy.radius.wire import (
    Code,
    Secret,
    attribute,
    build_request,
    build_response,
    parse,
    verify_request,
    verify_response,
)
from tests.integration.radius_world import SECRET, free_port, world

OURS = Secret(SECRET)
STATION = b"02-00-00-00-00-10"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestPyrad:
    """pyrad builds what we read, and reads what we build."""

    def test_its_access_request_proves_itself_and_it_believes_our_answer(self) -> None:
        asked = pyrad_packet.AuthPacket(secret=SECRET, dict=dictionary())
        asked["User-Name"] = "020000000010"
        asked["Service-Type"] = "Call-Check"
        asked["Calling-Station-Id"] = STATION.decode()
        asked.add_message_authenticator()
        octets = asked.RequestPacket()
        ours = parse(octets)
        verify_request(ours, OURS, require_message_authenticator=True)
        assert ours.first(6) == write_number(10)
        answer = build_response(Code.ACCESS_ACCEPT, ours, OURS, write_vlan("66") + attribute(25, b"class"))
        read = asked.CreateReply(packet=answer)
        assert asked.VerifyReply(read, answer, enforce_ma=True)
        assert read["Tunnel-Private-Group-Id"] == ["66"]
        assert read["Tunnel-Type"] == ["VLAN"]
        assert read["Class"] == [b"class"]

    def test_its_accounting_proves_itself_and_it_believes_our_answer(self) -> None:
        asked = pyrad_packet.AcctPacket(secret=SECRET, dict=dictionary())
        asked["Acct-Status-Type"] = "Start"
        asked["Acct-Session-Id"] = "0001"
        octets = asked.RequestPacket()
        ours = parse(octets)
        verify_request(ours, OURS, require_message_authenticator=True)
        answer = build_response(Code.ACCOUNTING_RESPONSE, ours, OURS, mark=False)
        assert asked.VerifyReply(asked.CreateReply(packet=answer), answer)

    @pytest.mark.parametrize("code", [Code.COA_REQUEST, Code.DISCONNECT_REQUEST])
    def test_it_believes_our_coa_and_we_believe_its_answer(self, code: Code) -> None:
        octets = build_request(code, 9, OURS, attribute(44, b"0001") + attribute(31, STATION))
        read = pyrad_packet.CoAPacket(secret=SECRET, dict=dictionary(), packet=octets)
        assert read.VerifyCoARequest()
        assert read.verify_message_authenticator(secret=SECRET)
        assert read["Acct-Session-Id"] == ["0001"]
        answer = read.CreateReply()
        answer.code = code + 1
        verify_response(parse(answer.ReplyPacket()), octets[4:20], OURS)


class TestScapy:
    """The lab switch's codec builds what we read, and reads what we build."""

    def test_its_access_request_and_our_answer(self) -> None:
        asked = codec.request(1, 5, [(1, b"020000000010"), (31, STATION), (6, 10)], SECRET, bytes(range(16)))
        ours = parse(asked)
        verify_request(ours, OURS, require_message_authenticator=True)
        answer = build_response(Code.ACCESS_ACCEPT, ours, OURS, write_vlan("66"))
        codec.verify_response(answer, asked, SECRET, demand=True)
        assert read_vlan(codec.decode(answer).attributes) == "66"

    def test_its_accounting_and_our_answer(self) -> None:
        asked = codec.request(4, 5, [(40, 1), (44, b"0001")], SECRET)
        verify_request(parse(asked), OURS, require_message_authenticator=True)
        answer = build_response(Code.ACCOUNTING_RESPONSE, parse(asked), OURS, mark=False)
        codec.verify_response(answer, asked, SECRET, demand=False)

    def test_our_coa_and_its_answer(self) -> None:
        octets = build_request(Code.COA_REQUEST, 5, OURS, attribute(44, b"0001"))
        codec.verify_request(octets, SECRET)
        answer = codec.response(45, codec.decode(octets), [(101, write_number(503))], SECRET)
        read = parse(answer)
        verify_response(read, octets[4:20], OURS)
        assert read.first(101) == write_number(503)


def radclient(to: tuple[str, int], command: str, lines: str, secret: bytes = SECRET, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        ["radclient", "-x", "-r", "1", "-t", "2", *options, f"{to[0]}:{to[1]}", command, secret.decode()],
        input=lines,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.peer("radclient")
@pytest.mark.anyio
async def test_radclient_is_answered_and_believes_it() -> None:
    async with world() as site:
        await site.switch("127.0.0.1")
        await site.decide(Access.REMEDIATION)
        who = f'User-Name = "020000000010"\nCalling-Station-Id = "{STATION.decode()}"\nNAS-Port-Id = "eth7"\n'
        auth, acct = site.address("authentication"), site.address("accounting")

        code, said = await asyncio.to_thread(radclient, auth, "auth", who + "Message-Authenticator = 0x00\n")
        assert code == 0, said
        assert "Received Access-Accept" in said
        assert 'Tunnel-Private-Group-Id:0 = "66"' in said
        assert "Tunnel-Type:0 = VLAN" in said
        given = next(line.split("=")[1].strip() for line in said.splitlines() if "Class =" in line)

        start = who + f'Acct-Status-Type = Start\nAcct-Session-Id = "R1"\nClass = {given}\n'
        code, said = await asyncio.to_thread(radclient, acct, "acct", start)
        assert code == 0, said
        assert "Received Accounting-Response" in said
        assert (await site.until(OrderState.CONFIRMED)).session == b"R1"

        for to in (auth, acct):
            code, said = await asyncio.to_thread(radclient, to, "status", "Message-Authenticator = 0x00\n")
            assert code == 0, said

        code, said = await asyncio.to_thread(
            radclient, auth, "auth", who + "Message-Authenticator = 0x00\n", b"wrong", "-r", "1", "-t", "0.3"
        )
        assert code != 0, "a wrong secret is met with silence"
        assert "No reply" in said


FREERADIUS = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/radiusd.pid
max_request_time = 5
cleanup_delay = 2
max_requests = 1024
hostname_lookups = no
log {{
  destination = files
  file = {folder}/radius.log
}}
security {{
  max_attributes = 200
  reject_delay = 0
  allow_vulnerable_openssl = yes
}}
proxy_requests = no
client us {{
  ipaddr = 127.0.0.1
  secret = {secret}
  require_message_authenticator = yes
}}
thread pool {{
  start_servers = 1
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 1
}}
modules {{
  always ok {{
    rcode = ok
  }}
  always reject {{
    rcode = reject
  }}
}}
server das {{
  listen {{
    type = coa
    ipaddr = 127.0.0.1
    port = {port}
  }}
  recv-coa {{
    if (Acct-Session-Id == "unknown") {{
      update reply {{
        Error-Cause := 503
      }}
      reject
    }}
    ok
  }}
  send-coa {{
    ok
  }}
}}
"""


@pytest.fixture
def freeradius() -> Iterator[tuple[str, int]]:
    """FreeRADIUS as a Dynamic Authorization Server on loopback."""
    folder = Path(tempfile.mkdtemp(prefix="ptq-fr-"))
    port = free_port()
    (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    (folder / "radiusd.conf").write_text(FREERADIUS.format(folder=folder, port=port, secret=SECRET.decode()))
    program = shutil.which("freeradius", path="/usr/sbin:/usr/bin:/sbin") or "freeradius"
    running = subprocess.Popen(
        [program, "-f", "-d", folder, "-n", "radiusd", "-l", folder / "radius.log"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    log = folder / "radius.log"
    try:
        for _ in range(100):
            if log.exists() and "Ready to process requests" in log.read_text():
                break
            if running.poll() is not None:
                pytest.fail(f"FreeRADIUS ended: {running.stdout.read()!r} {log.read_text() if log.exists() else ''}")
            time.sleep(0.05)
        yield "127.0.0.1", port
    finally:
        running.terminate()
        running.wait(10)
        running.stdout.close()
        shutil.rmtree(folder)


@pytest.mark.peer("freeradius")
@pytest.mark.anyio
async def test_freeradius_understands_our_coa_and_we_its_answers(freeradius) -> None:
    answers: asyncio.Queue = asyncio.Queue()
    client = CoaClient(lambda text: None, random.Random(1))
    shell = CoaShell(
        client,
        "127.0.0.1",
        clock=lambda: time.time_ns() // 1000,
        on_answer=answers.put_nowait,
        on_gave_up=answers.put_nowait,
        may_repeat=lambda token: True,
        log=lambda text: None,
    )
    shell.open_lane()

    async def ask(token: str, code: Code, session: bytes, secret: bytes = SECRET, seconds: float = 5):
        body = attribute(44, session) + attribute(31, STATION)
        shell.send(Request(token, code, freeradius, Secret(secret), body, round(seconds * 1_000_000)))
        return await asyncio.wait_for(answers.get(), seconds + 5)

    try:
        for code in (Code.COA_REQUEST, Code.DISCONNECT_REQUEST):
            answer = await ask(f"good{code}", code, b"0001")
            assert (answer.ack, answer.cause) == (True, None)
            answer = await ask(f"unknown{code}", code, b"unknown")
            assert (answer.ack, answer.cause) == (False, 503)
        assert isinstance(await ask("wrong", Code.COA_REQUEST, b"0001", b"wrong", 0.5), GaveUp)
    finally:
        shell.close()
