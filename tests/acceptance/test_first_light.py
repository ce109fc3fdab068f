"""First light, told on both fabrics; and what must still hold when a part of the site is away, dies, or lies."""

import json
import os
import pty
import re
import select
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from lab.endpoints import programs
from lab.fabric import ENDPOINTS, REMEDIATION
from lab.narrator import Narrator
from lab.processes import children
from lab.python import environment, pratique
from lab.site import Site
from lab.stories import first_light
from tests.acceptance.left_behind import alive, ended_after

FABRICS = [pytest.param("netns", marks=pytest.mark.peer("netns")), "table"]
FIGURES = {
    "exec_to_report_ms",
    "exec_to_moved_ms",
    "packets_after_exec",
    "confirmed_ms",
    "allow_to_released_ms",
    "others_disturbed",
}
SECOND = ENDPOINTS[1]
pytestmark = pytest.mark.slow


# ---- the story


class Told(NamedTuple):
    code: int
    result: dict[str, Any]
    seconds: float


def tell(fabric: str) -> Told:
    """Play the story headless, as a person would."""
    begun = time.monotonic()
    command = pratique("lab", "story", "first-light", "--json", "--fabric", fabric)
    done = subprocess.run(command, capture_output=True, text=True, timeout=80, env=environment(), check=False)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return Told(done.returncode, json.loads(lines[-1]), time.monotonic() - begun)


@pytest.mark.parametrize("fabric", FABRICS)
def test_the_story_is_told_twice_in_a_row_and_leaves_nothing(fabric: str, tmp_path: Path) -> None:
    for _ in range(2):
        code, result, seconds = tell(fabric)

        assert result["ok"], result
        assert code == 0
        assert set(result) == {"ok", "fabric", "sensor"} | FIGURES
        assert (result["fabric"], result["others_disturbed"]) == (fabric, 0)
        assert result["sensor"] == ("fanotify" if fabric == "netns" else "polling")
        assert 0 < result["exec_to_report_ms"] < result["exec_to_moved_ms"] < result["confirmed_ms"]
        assert seconds < 50


# ---- with a part of the site away


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site on the port table, in this process, on a quiet morning."""
    state = tmp_path / "lab"
    state.mkdir()
    made = Site(state, "table")
    try:
        first_light.prepare(made, Narrator(json_only=True))
        first_light.all_quiet(made)
        yield made
    finally:
        made.close()
        for log in sorted([*state.glob("switch.jsonl"), *state.glob("logs/*.log")]):
            print(f"---- {log.name}\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture
def unknown(site: Site) -> Iterator[Callable[[], int]]:
    """Starts a program that nobody has seen on endpoint 2; when (microseconds)."""
    started = []

    def begin() -> int:
        program = programs.make(site.fabric.programs(SECOND), "invoice")
        started.append(programs.start(site.fabric.enter(SECOND), program, 60))
        return started[-1].us

    yield begin
    for start in started:
        start.process.kill()
        start.process.wait()


def moved(site: Site, since_us: int) -> bool:
    return site.journal.find("moved", since_us=since_us, port=SECOND.port, vlan=REMEDIATION) is not None


def wait_until_moved_and_confirmed(site: Site, since_us: int, seconds: float = 20) -> None:
    site.wait("the port to be moved", partial(moved, site, since_us), seconds)
    site.wait("the confirmation", partial(confirmed, site, since_us), seconds)


def confirmed(site: Site, since_us: int) -> bool:
    return answers(site) and site.policy.confirmed_us(SECOND.mac, "remediation", since_us) is not None


def answers(site: Site) -> bool:
    return site.policy.ready()


def process_of(site: Site, role: str) -> int:
    """The process of the policy service that has this role."""
    below = [psutil.Process(pid) for pid in children(site.processes.pid("serve"))]
    return next(process.pid for process in below if f"api.process {role} " in " ".join(process.cmdline()))


def test_with_the_mail_server_away_the_host_is_moved_and_the_mail_comes_later(
    site: Site, unknown: Callable[[], int]
) -> None:
    site.mail.stop()

    wait_until_moved_and_confirmed(site, unknown())
    assert site.mail.mails == []

    site.mail.start()
    (mail, *_) = site.wait("the mail that had to wait", lambda: site.mail.mails, 60)
    assert "invoice" in mail.subject


def kill_and_restart(site: Site) -> None:
    for pid in [*children(site.processes.pid("serve")), site.processes.pid("serve")]:
        os.kill(pid, signal.SIGKILL)
    site.processes.stop("serve")
    site.start_service()


def test_a_service_restarted_between_ack_and_reauthentication_still_confirms_the_move(
    site: Site, unknown: Callable[[], int]
) -> None:
    site.faults(delay_ms=60_000)
    since = unknown()
    site.wait("the ACK", lambda: site.journal.find("coa_ack", since_us=since), 15, 0.001)

    kill_and_restart(site)
    site.wait("the service to be back", site.policy.ready, 30)
    assert not moved(site, since)
    site.faults()
    site.command({"hurry": True})

    wait_until_moved_and_confirmed(site, since, 25)


def test_a_reauthentication_that_comes_before_the_database_is_open_again_still_ends_in_the_move(
    site: Site, unknown: Callable[[], int]
) -> None:
    site.faults(delay_ms=60_000)
    since = unknown()
    site.wait("the ACK", lambda: site.journal.find("coa_ack", since_us=since), 15, 0.001)

    kill_and_restart(site)
    log = site.state / "logs" / "serve.log"
    site.wait("RADIUS to answer from its file", lambda: '"answering_from": "file"' in log.read_text(), 30, 0.001)
    site.faults()
    site.command({"hurry": True})

    wait_until_moved_and_confirmed(site, since, 40)


@pytest.mark.parametrize("process", ["radius", "api"])
def test_either_process_of_the_service_may_be_killed_alone(
    site: Site, unknown: Callable[[], int], process: str
) -> None:
    killed = process_of(site, process)
    other = process_of(site, {"radius": "api", "api": "radius"}[process])
    os.kill(killed, signal.SIGKILL)

    wait_until_moved_and_confirmed(site, unknown(), 25)

    assert process_of(site, process) != killed
    assert psutil.pid_exists(other)


def test_a_switch_that_acknowledges_and_does_nothing_is_never_reported_as_done(
    site: Site, unknown: Callable[[], int]
) -> None:
    site.faults(ack_only=True)
    since = unknown()
    states: set[str] = set()

    def given_up() -> bool:
        order = site.policy.order(SECOND.mac, "remediation", since)
        if order is not None:
            states.add(order["state"])
        return "not_confirmed" in states or "failed" in states

    site.wait("the service to notice that nothing happened", given_up, 30, 0.05)

    assert "confirmed" not in states
    assert not moved(site, since)
    assert site.vlan(SECOND) == "10"


# ---- the console, and whatever ends it


@pytest.mark.parametrize("fabric", FABRICS)
def test_on_a_terminal_the_console_stays_until_ctrl_c(fabric: str, temporary: Path) -> None:
    ours, theirs = pty.openpty()
    lab = subprocess.Popen(
        ["setsid", "--ctty", *pratique("lab", "up", "--fabric", fabric)],  # so that Ctrl-C is a signal
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TMPDIR=str(temporary), TERM="dumb"),
    )
    os.close(theirs)
    try:
        told = read_until(ours, "Ctrl-C", 60)
        address = re.search(r"https://(\S+?)/ ", told)
        assert address, told
        assert "one-time password" in told
        (state,) = temporary.glob("pratique-lab-*")
        context = ssl.create_default_context(cafile=str(state / "data" / "tls" / "ca.pem"))
        assert httpx.get(f"https://{address[1]}/readyz", verify=context, timeout=10).status_code == 200
        below = children(lab.pid)

        os.write(ours, b"\x03")
        read_until(ours, "Taking everything down", 10)
        assert lab.wait(20) == 0
    finally:
        lab.kill()
        lab.wait()
        os.close(ours)
    assert alive(below) == []
    assert not state.exists()


def read_until(terminal: int, text: str, seconds: float) -> str:
    """What the terminal shows, up to and with `text`."""
    shown, until = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < until, shown
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A short folder for state folders (UNIX sockets have short names)."""
    folder = Path(f"/tmp/first-light-{os.getpid()}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def started(fabric: str, temporary: Path) -> AbstractContextManager["subprocess.Popen[str]"]:
    """A lab whose endpoints have just joined; afterwards nothing of it may be left."""
    command = pratique("lab", "up", "--once", "--fabric", fabric)
    return ended_after(command, "authenticated its ports", temporary, more_than=5, seconds=12)


@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 130), (signal.SIGINT, 130)])
def test_however_the_lab_is_ended_nothing_of_it_is_left(
    fabric: str, how: signal.Signals, code: int, temporary: Path
) -> None:
    with started(fabric, temporary) as lab:
        os.kill(lab.pid, how)
        assert lab.wait(20) == code


@pytest.mark.parametrize("fabric", FABRICS)
def test_when_the_inner_half_is_killed_the_outer_one_cleans_up_and_fails(fabric: str, temporary: Path) -> None:
    with started(fabric, temporary) as lab:
        (inner,) = psutil.Process(lab.pid).children()
        os.kill((inner.children() if fabric == "netns" else [inner])[0].pid, signal.SIGKILL)
        assert lab.wait(20) in (137, 1)  # 1 by an unshare that cannot repeat its child's SIGKILL


@pytest.mark.parametrize("fabric", FABRICS)
def test_two_labs_at_once_do_not_meet(fabric: str) -> None:
    command = pratique("lab", "story", "first-light", "--json", "--fabric", fabric)
    labs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) for _ in range(2)]
    try:
        results = [json.loads(lab.communicate(timeout=110)[0].splitlines()[-1]) for lab in labs]
    finally:
        for lab in labs:
            lab.kill()
            lab.communicate()
    assert [result["ok"] for result in results] == [True, True], results
