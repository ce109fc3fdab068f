"""Switches and routers with a command line over SSH: which there are, what they understand, and talking to them.

    [switches.sw-floor2]                     # the name or the address of the NAS
    host = "10.0.0.2"
    user = "pratique"
    key = "/etc/pratique/keys/switches"      # or password_file = "…"
    known_hosts = "/etc/pratique/known_hosts"
    uplinks = ["GigabitEthernet1/0/4[78]", "Te*"]

Guarantees: a device whose host key is not known is not talked to. What is typed on a device is made of the dialect's own
words and of names that `interface` or `mac` let through: letters, digits and a few marks, beginning with a letter or
digit, so that nothing can become another command, another line or an option. Answers are read up to a limit.

What it does not do: it decides nothing. Dialects are data; one is added below with a test of its own.
"""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncssh

ANSWER: Final = 1 << 20
CHUNK: Final = 1 << 16
QUICK: Final = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256"
"""Key exchanges that are asked for first, because they cost least; all others that asyncssh knows follow."""
_INTERFACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9/._:-]{0,63}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)


class BadDevices(Exception):
    """The file of devices cannot be used; the message says where and why. (Exit code 78.)"""


class NotNow(Exception):
    """The device cannot be reached, or did not answer in time. (Exit code 75: tried again.)"""


class Unsafe(Exception):
    """A name that may not be typed on a device. (Exit code 1.)"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a make is told things. `{port}`, `{mac}` and `{acl}` are the only holes. `row` finds `mac` and `port` in a line
    of the table of MACs; `up` and `down` are found in the answer to `status` for a port that is open or shut by an admin."""

    shut: tuple[str, ...]
    open: tuple[str, ...]
    status: str
    down: str
    up: str
    macs: str
    row: str
    refuse: tuple[str, ...]
    permit: tuple[str, ...]
    acl: str
    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ("exit",)


DIALECTS: Final = {
    "ios": Dialect(
        shut=("configure terminal", "interface {port}", "shutdown", "end"),
        open=("configure terminal", "interface {port}", "no shutdown", "end"),
        status="show interface {port}",
        down=r"(?m)^\s*{port} is administratively down\b",
        up=r"(?m)^\s*{port} is (?:up|down)\b",
        macs="show mac address-table",
        row=r"^\s*\S+\s+(?P<mac>[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4})\s+\S+\s+(?P<port>\S+)\s*$",
        refuse=("configure terminal", "mac access-list extended {acl}", "deny host {mac} any", "end"),
        permit=("configure terminal", "mac access-list extended {acl}", "no deny host {mac} any", "end"),
        acl="show access-lists {acl}",
        begin=("terminal length 0",),
    ),
}  # fmt: skip
"""By name. `ios` is spoken by Cisco IOS and IOS XE, and in these words by many others."""


@dataclass(frozen=True, slots=True)
class Device:
    """One switch or router. `uplinks` are patterns of ports that are never touched; `pty` asks for a terminal, which most
    devices want; `timeout_s` is for everything that is said in one connection."""

    name: str
    host: str
    user: str
    known_hosts: Path
    port: int = 22
    key: Path | None = None
    password_file: Path | None = None
    uplinks: tuple[str, ...] = ()
    dialect: str = "ios"
    pty: bool = True
    timeout_s: float = 10.0
    words: Dialect = field(default=DIALECTS["ios"], compare=False)

    def is_uplink(self, port: str) -> bool:
        return any(fnmatchcase(port.lower(), pattern.lower()) for pattern in self.uplinks)


def load(path: Path) -> dict[str, Device]:
    """The devices of a file, by name. Raises BadDevices."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadDevices(f"{path}: {error}") from error
    tables = data.pop("switches", {})
    if data or not isinstance(tables, dict) or not tables:
        raise BadDevices(f"{path}: it holds tables [switches.NAME] alone, at least one")
    if strange := [name for name in tables if not re.fullmatch(r"\S+", name)]:
        raise BadDevices(f"{path}: a switch's name has no spaces: {strange[0]!r}")
    return {name: _device(path, name, table) for name, table in tables.items()}


def _device(path: Path, name: str, table: Any) -> Device:
    where = f"{path}: [switches.{name}]"
    known = {one.name for one in fields(Device)} - {"name", "words"}
    if not isinstance(table, dict) or set(table) - known:
        raise BadDevices(f"{where} takes {', '.join(sorted(known))}")
    if missing := {"host", "user", "known_hosts"} - set(table):
        raise BadDevices(f"{where} lacks {', '.join(sorted(missing))}")
    dialect = DIALECTS.get(table.get("dialect", "ios"))
    if dialect is None:
        raise BadDevices(f"{where}: there is no dialect {table['dialect']!r}; there are {', '.join(DIALECTS)}")
    if not table.get("key") and not table.get("password_file"):
        raise BadDevices(f"{where} needs a key or a password_file")
    base = path.absolute().parent
    paths = {word: base / table[word] for word in ("key", "password_file", "known_hosts") if table.get(word)}
    uplinks = tuple(table.get("uplinks", ()))
    return Device(**{**table, **paths, "name": name, "uplinks": uplinks, "words": dialect})


def find(devices: dict[str, Device], name: str | None, address: str | None) -> Device | None:
    """The device of a NAS, by its name (with or without a domain) or its address."""
    named = devices.get(name or "") or devices.get((name or "").partition(".")[0]) or devices.get(address or "")
    return named or next((device for device in devices.values() if address and device.host == address), None)


def interface(text: object) -> str:
    """The name of a port, if it may be typed. Raises Unsafe."""
    if not isinstance(text, str) or not _INTERFACE.fullmatch(text):
        raise Unsafe(f"{text!r} is no name of a port; letters, digits and /._:- make one")
    return text


_PORT: Final = re.compile(r"(?P<kind>[a-z][a-z-]*)(?P<place>[0-9][0-9/.:]*)")


def same_port(one: str, other: str) -> bool:
    """Whether two names mean one port: devices write `Gi1/0/17` in one table and `GigabitEthernet1/0/17` in another."""
    first, second = one.lower(), other.lower()
    if first == second:
        return True
    a, b = _PORT.fullmatch(first), _PORT.fullmatch(second)
    if a is None or b is None or a["place"] != b["place"]:
        return False
    short, long = sorted((a["kind"], b["kind"]), key=len)
    return len(short) > 1 and long.startswith(short)


def acl_name(text: object) -> str:
    """The name of an access list, if it may be typed. Raises Unsafe."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise Unsafe(f"{text!r} is no name of an access list; letters, digits, _ and - make one")
    return text


def mac(text: object) -> str:
    """A MAC address as devices write it, `0200.0000.0012`, if it is one. Raises Unsafe."""
    digits = text.lower().translate({ord(mark): None for mark in ":-."}) if isinstance(text, str) else ""
    if not _HEX.fullmatch(digits):
        raise Unsafe(f"{text!r} is no MAC address")
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"


def table(device: Device, answer: str) -> dict[str, str]:
    """MAC (as devices write it) → port, of an answer to the dialect's `macs`."""
    found = {}
    for line in answer.splitlines():
        if row := re.match(device.words.row, line):
            found[row["mac"].lower()] = row["port"]
    return found


_kept: ContextVar["dict[Device, asyncssh.SSHClientConnection] | None"] = ContextVar("kept", default=None)


@asynccontextmanager
async def keeping() -> AsyncIterator[None]:
    """Within this, a device is called once and kept on the line: calling costs most of the time. A device that takes one
    conversation for each connection is called anew."""
    kept: dict[Device, asyncssh.SSHClientConnection] = {}
    before = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(before)
        for connection in kept.values():
            connection.abort()


async def talk(device: Device, lines: Sequence[str]) -> str:
    """Type these lines, one after the other, and leave; all that the device said. Raises NotNow or BadDevices."""
    try:
        import asyncssh
    except ModuleNotFoundError as error:
        raise BadDevices("talking over SSH needs the package asyncssh: pip install 'pratique[ssh]'") from error
    said = "".join(f"{line}\n" for line in (*device.words.begin, *lines, *device.words.end))
    try:
        async with asyncio.timeout(device.timeout_s):
            kept = _kept.get()
            if kept is None:
                async with keeping():
                    return await talk(device, lines)
            if device in kept:
                try:
                    again = await _conversation(device, kept[device])
                except _HungUp:
                    kept.pop(device).abort()
                else:
                    return await _said(again, said)
            kept[device] = await _called(device)
            return await _said(await _conversation(device, kept[device]), said)
    except asyncssh.HostKeyNotVerifiable as error:
        raise BadDevices(f"{device.name}: its host key is not the one in {device.known_hosts}: {error}") from error
    except asyncssh.PermissionDenied as error:
        raise BadDevices(f"{device.name} does not let {device.user} in: {error}") from error
    except TimeoutError as error:
        raise NotNow(f"{device.name} at {device.host} did not answer within {device.timeout_s:g} s") from error
    except (OSError, asyncssh.Error, _HungUp) as error:
        raise NotNow(f"{device.name} at {device.host} cannot be talked to: {error}") from error


class _HungUp(Exception):
    """The device takes no conversation on this connection; nothing was typed yet."""


async def _called(device: Device) -> "asyncssh.SSHClientConnection":
    """A connection to a device whose host key is known. Raises BadDevices, OSError or asyncssh.Error."""
    import asyncssh

    password = None
    try:
        if device.password_file is not None:
            password = device.password_file.read_text("utf-8").rstrip("\n")
        keys = asyncssh.read_private_key_list(device.key) if device.key else None
        known = asyncssh.read_known_hosts(str(device.known_hosts))
    except (OSError, asyncssh.KeyImportError, ValueError) as error:
        raise BadDevices(f"{device.name}: {error}") from error
    return await asyncssh.connect(
        device.host, device.port, username=device.user, client_keys=keys, password=password, known_hosts=known,
        config=None, agent_path=None, x509_trusted_certs=None, kex_algs=f"^{QUICK}",
    )  # fmt: skip


async def _conversation(device: Device, connection: "asyncssh.SSHClientConnection") -> "asyncssh.SSHClientProcess[str]":
    import asyncssh

    terminal = "dumb" if device.pty else None
    try:
        return await connection.create_process(term_type=terminal, encoding="utf-8", errors="replace")
    except (OSError, asyncssh.Error) as error:
        raise _HungUp(str(error)) from error


async def _said(process: "asyncssh.SSHClientProcess[str]", typed: str) -> str:
    """Type it and listen to the end."""
    answer = ""
    async with process:
        process.stdin.write(typed)  # no EOF: with a terminal that would hang up
        while len(answer) < ANSWER and (chunk := await process.stdout.read(CHUNK)):
            answer += chunk
    return answer
