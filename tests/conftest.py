"""What all tests share: the peers they need, and where the evaluation data lies.

A test marked `peer("name")` needs that real program or kernel right. Where it is missing the test is skipped on a
developer's machine, and *fails* under CI=true: there `make peers` installs everything, so a skip would hide a defect.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _runs(*command: str) -> Callable[[], bool]:
    def check() -> bool:
        try:
            return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    return check


def _netns() -> bool:
    needed = ("ip", "dnsmasq", "dhcpcd", "nsenter", "unshare", "ping")
    return all(_program(name)() for name in needed) and _runs(
        "unshare", "-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc",
        "sh", "-c", "ip link add name br0 type bridge && ip link add name v0 type veth peer name v1 && mount -t tmpfs t /mnt",
    )()  # fmt: skip


def _fanotify() -> bool:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    group = libc.fanotify_init(0, os.O_RDONLY)
    if group < 0:
        return False
    marked = libc.fanotify_mark(group, 1 | 0x100, ctypes.c_uint64(0x1000), -100, b"/dev/shm")
    os.close(group)
    return marked == 0 or ctypes.get_errno() != 1


PEERS: dict[str, Callable[[], bool]] = {
    "chromium": _program("chromium"),
    "fanotify": _fanotify,
    "freeradius": _program("freeradius"),
    "netns": _netns,
    "postfix": lambda: _program("postfix")() and _program("saslpasswd2")(),
    "postgresql": lambda: bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))) and os.geteuid() == 0,
    "radclient": _program("radclient"),
    "root": lambda: os.geteuid() == 0,
    "rsyslog": _program("rsyslogd"),
    "sshd": _program("sshd"),
    "tshark": _program("tshark"),
}


@cache
def peer_is_here(name: str) -> bool:
    return PEERS[name]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("peer"):
        for name in mark.args:
            if name not in PEERS:
                raise pytest.UsageError(f"{item.nodeid}: no peer is called {name!r}; known are {', '.join(PEERS)}")
            if not peer_is_here(name):
                message = f"the real peer {name!r} is missing; `make peers` as root brings it"
                if os.environ.get("CI") == "true" and os.environ.get("PEERS") != "skip":
                    pytest.fail(message, pytrace=False)
                pytest.skip(message)
    if item.get_closest_marker("shared") and not (REPOSITORY.parent / "shared" / "data").is_dir():
        pytest.skip("the evaluation data is not beside the repository")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the evaluation data; only for tests marked `shared`."""
    return REPOSITORY.parent / "shared"
