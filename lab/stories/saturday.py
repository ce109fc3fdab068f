"""Saturday morning: files on the share are being locked, and somebody has to say by whom.

A dozen endpoints work; on one of them an unknown program begins to lock the files of the share (`lab.endpoints.locker`,
harmless). The service moves that host, mails, and runs the script that shuts its port over SSH; the admin asks who ran
something unknown when the ransom note was written, denies the program, and clears the cleaned host.

Guarantees: mail, move and the port's going down are observed from outside the service; others count as disturbed when
a single ping was lost or their port moved; every file is whole again at the end. The story fails at the first step
that is not as it should be.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from lab import dozen
from lab.endpoints import locker, starter
from lab.endpoints.deployment import disguised
from lab.endpoints.programs import NewProgram, Start
from lab.fabric import PRODUCTION, REMEDIATION, FabricError, free_ports
from lab.fabric.wide import DOZEN, folder_of
from lab.narrator import Narrator, StoryFailed
from lab.policy import SWITCH
from lab.python import module
from lab.site import Site
from lab.stories import Story
from lab.switch.shell import UPLINK
from lab.switch.sshd import Sshd, shell

ONE: Final = DOZEN[4]
OTHERS: Final = tuple(endpoint for endpoint in DOZEN if endpoint is not ONE)
FILES: Final = 240
USER: Final = "nobody"
SCRIPT: Final = "shut-port"
LOCKER: Final = "locker"
WORKS: Final = 'echo go > "$1"; sleep 90; true'
"""What the unknown program does: let the locker go, and stay."""


def prepare(site: Site, narrator: Narrator) -> None:
    """A quiet Saturday: twelve endpoints with pings, a share with files, a switch with SSH, and the script set up."""
    dozen.widen(site)
    with narrator.step("the network"):
        site.build()
        narrator.say("A network with a dozen endpoints on one switch, and a file server with a share.")
    with narrator.step("the policy service"):
        site.serve()
        narrator.say("The policy service is ready.", site.service_start_ms)
    with narrator.step("settings and enrolment"):
        dozen.furnish(site, learn=False)
        narrator.say("Mode is enforce; twelve endpoints are enrolled.")
    with narrator.step("the endpoints join"):
        dozen.connect(site)
    with narrator.step("the script"):
        _equip(site)
        narrator.say(f"The switch has SSH, and the script {SCRIPT} is set up to shut the port of whoever is moved.")
    with narrator.step("the agents"):
        dozen.watch(site, pings=True)
        for number in range(FILES):
            text = b"%s%d: invoices, plans and photographs\n" % (locker.BEGINS, number) * 4
            (folder_of(site.state) / f"file{number:03}.txt").write_bytes(text)
        narrator.say(f"Their agents watch, all twelve ping the file server, and {FILES} files lie on its share.")


def play(site: Site, narrator: Narrator) -> dict[str, Any]:
    """From the first locked file to the last one that is whole again."""
    with narrator.step("a quiet morning"):
        site.wait("all endpoints to be healthy", partial(dozen.healthy, site), 20, 0.2)
        before = _contents(site)
        program = disguised(site.fabric.programs(ONE) / f"invoice-{os.urandom(3).hex()}")
        mails = len(site.mail.mails)
    with narrator.step("an unknown program starts"):
        start = _start(site, program)
        narrator.say(
            f"{ONE.name} starts {program.path.name}, SHA-256 {program.sha256[:16]}…, and files begin to be locked."
        )
    try:
        figures = _stopped(site, narrator, program, start, mails)
        figures |= _found(site, narrator, program, start)
    finally:
        _end(start)
        site.processes.stop(LOCKER)
    figures |= _back(site, narrator, program, start)
    with narrator.step("the files"):
        restored = locker.restored(folder_of(site.state))
        if _contents(site) != before:
            raise StoryFailed("the files", "the share is not as it was before")
        narrator.say(f"The rehearsal's {restored} locked files are restored; the share is as it was.")
    return {"ok": True, "fabric": site.fabric.name, **figures, "files_locked": restored, "files": FILES}


def _stopped(site: Site, narrator: Narrator, program: NewProgram, start: Start, mails: int) -> dict[str, Any]:
    with narrator.step("the move"):
        moved = site.wait("the host to be moved", partial(_moved, site, REMEDIATION, start.us), 25)
        narrator.say(f"{ONE.name} is in remediation, and the share is out of its reach.", _ms(start.us, moved))
    with narrator.step("the script"):
        site.wait("the port to go down", lambda: site.vlan(ONE) is None, 20, 0.005)
        down = _now()
        narrator.say(f"The script has shut {ONE.port} over SSH.", _ms(start.us, down))
    with narrator.step("the mail"):
        mail = site.wait(
            "a mail that names the program",
            lambda: next((m for m in site.mail.mails[mails:] if program.sha256 in m.text or program.sha256 in m.subject), None),
            15,
        )  # fmt: skip
        narrator.say(f"A mail lies in the admin's box: {mail.subject!r}.", _ms(start.us, mail.us))
    with narrator.step("the harm"):
        locked = _locked(site)
        time.sleep(0.5)
        if _locked(site) != locked:
            raise StoryFailed("the harm", "files are still being locked")
        if not locked < FILES:
            raise StoryFailed("the harm", "all files were locked before anybody was stopped")
        narrator.say(f"{locked} of {FILES} files were locked, and it has stopped.")
    return {
        "exec_to_mail_ms": _ms(start.us, mail.us),
        "exec_to_moved_ms": _ms(start.us, moved),
        "script_port_down_ms": _ms(start.us, down),
    }


def _found(site: Site, narrator: Narrator, program: NewProgram, start: Start) -> dict[str, Any]:
    with narrator.step("who was it"):
        notes = ("--from-notes", str(folder_of(site.state)), "--notes-name", f"{locker.NOTE}*")
        report = json.loads(site.policy.cli("report", "window", *notes, "--format", "json"))
        hosts = [host["host"] for host in report["hosts"]]
        narrator.say(
            f"`pratique report window --from-notes …` says who ran something unknown then: {', '.join(hosts)}."
        )
        ran = [one["sha256"] for host in report["hosts"] for one in host["executables"]]
        if hosts != [ONE.name] or ran != [program.sha256]:
            raise StoryFailed("who was it", f"the report names {hosts} with {ran}")
        place = report["hosts"][0]
        narrator.say(f"It was at {place['switch']} {place['port']}, MAC {place['mac']}.")
    return {"window_hosts": hosts}


def _back(site: Site, narrator: Narrator, program: NewProgram, start: Start) -> dict[str, Any]:
    with narrator.step("the admin decides"):
        site.policy.cli("deny", "add", program.sha256, "--why", "it locks files")
        program.path.unlink()
        cleared = _now()
        site.policy.cli("host", "clear", ONE.name, "--why", "cleaned by hand")
        narrator.say(f"The program is denied everywhere; {ONE.name} was cleaned and is cleared.")
    with narrator.step("the return"):
        site.wait("the port to be opened into production", partial(site.stands_in, ONE, PRODUCTION), 20)
        back = site.wait("its ping to resume", partial(site.pings(ONE).answered, cleared), 20)[0]
        narrator.say("The script has opened the port again, and its ping resumed.", _ms(cleared, back.sent_us))
        site.wait("all endpoints to be healthy", partial(dozen.healthy, site), 20, 0.2)
    with narrator.step("nobody else is disturbed"):
        disturbed = _disturbed(site, start.us)
        narrator.say(f"Others who lost a ping or were moved all the while: {len(disturbed)}.")
        if disturbed:
            raise StoryFailed("nobody else is disturbed", f"disturbed were {', '.join(disturbed)}")
    return {"others_disturbed": len(disturbed), "clicks_or_commands": 3}


def _equip(site: Site) -> None:
    """A real sshd on the switch, the file of switches, and the setting."""
    if os.geteuid() == 0:
        site.state.chmod(0o711)  # whom scripts run as must get through to their files
        _check_user(site)
    sshd = Sshd(site.state / "ssh", free_ports(1, socket.SOCK_STREAM)[0], shell(site.state))
    environment = site.processes.command_environment()
    sshd.found({name: environment[name] for name in ("PATH", "PYTHONPATH") if name in environment})
    site.processes.start("sshd", *sshd.words())
    key = sshd.key_for(USER, site.state / "ssh" / "script_key")
    switches = site.state / "ssh" / "switches.toml"
    switches.write_text(sshd.device(SWITCH, key, (UPLINK,)))
    script = {
        "name": SCRIPT, "run": ["pratique:shut_port", "--switches", str(switches)],
        "events": ["moved", "released"], "timeout_s": 20,
    }  # fmt: skip
    site.policy.ask("PUT", "/v1/settings/scripts", {"scripts": [script]})
    site.wait("the switch's sshd to answer", partial(_listens, sshd.port), 10)


def _check_user(site: Site) -> None:
    """Whoever scripts run as must be able to run this Python."""
    tried = subprocess.run(
        ["setpriv", "--reuid", USER, "--clear-groups", "--", sys.executable, "-I", "-c", "import asyncssh, api"],
        capture_output=True, text=True, cwd="/", env=site.processes.command_environment(), check=False,
    )  # fmt: skip
    if tried.returncode:
        said = (tried.stderr.strip().splitlines() or ["no reason told"])[-1]
        raise FabricError(f"the user {USER}, as whom scripts run, cannot run {sys.executable}: {said}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _start(site: Site, program: NewProgram) -> Start:
    """Start the program on its endpoint; it lets the locker go, which waits there."""
    pipe = site.state / "go"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)
    locks = [*module("lab.endpoints.locker"), *dozen.wide(site).share(ONE), "--go", str(pipe)]
    site.processes.start(LOCKER, *site.fabric.enter(ONE), *locks)
    command = [
        *site.fabric.enter(ONE), sys.executable, "-I", "-S", starter.__file__, str(program.path),
        program.path.name, "-c", WORKS, program.path.name, str(pipe),
    ]  # fmt: skip
    site.wait("the locker to wait for its order", partial(_is_read, pipe), 20)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
        env=site.processes.command_environment(),
    )  # fmt: skip
    line = process.stdout.readline().split() if process.stdout else []
    if len(line) != 2:
        raise FabricError(f"{program.path} did not start (exit {process.wait(5)})")
    return Start(process, int(line[0]), int(line[1]))


def _is_read(pipe: Path) -> bool:
    """Whether somebody reads the pipe (and nothing is written into it by asking)."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _end(start: Start) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(start.process.pid, signal.SIGKILL)
    start.process.wait()
    if start.process.stdout:
        start.process.stdout.close()


def _contents(site: Site) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder_of(site.state).iterdir()}


def _locked(site: Site) -> int:
    return len(list(Path(folder_of(site.state)).glob(f"*{locker.ENDING}")))


def _moved(site: Site, vlan: str, since_us: int) -> int | None:
    line = site.journal.find("moved", since_us=since_us, port=ONE.port, vlan=vlan)
    return None if line is None else int(line["us"])


def _disturbed(site: Site, since_us: int) -> list[str]:
    """Others who lost a ping or were moved; the last pings need their second to be counted."""
    until = _now()
    for other in OTHERS:
        site.wait(f"{other.name} to ping on", partial(site.pings(other).answered, until + 1_100_000), 10, 0.1)
    ports = dozen.moved(site, since_us)
    return [other.name for other in OTHERS if other.port in ports or site.pings(other).lost(since_us, until)]


def _moment(us: int, seconds: int) -> str:
    """A moment as reports read it, with its offset."""
    return datetime.fromtimestamp(us / 1_000_000 + seconds, UTC).isoformat(timespec="milliseconds")


def _now() -> int:
    return time.time_ns() // 1000


def _ms(begin_us: int, end_us: int) -> float:
    return round((end_us - begin_us) / 1000, 2)


STORY: Final = Story("saturday", "Saturday morning, 08:41", prepare, play)
