"""What goes wrong in the first hour is one sentence that names the cause and the next step, and never a traceback.

Each test does what a person does, with the real command, and reads what that person would read.
"""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lab.switch import codec
from tests.integration.service_world import REPOSITORY, Endpoint, Installation, free_port, installed

SECRET = b"a-secret-of-the-switch"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("site")) as made:
        text = made.file.read_text()
        made.file.write_text(f'{text}[mail]\nserver = "127.0.0.1"\nport = {free_port()}\nto = ["it@example.org"]\n')
        made.start()
        yield made


def agent(*words: str, without_rights: bool = False) -> subprocess.CompletedProcess[str]:
    """`pratique agent …`, as root without the rights of root where wanted."""
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    command = [
        *(bare if without_rights and os.geteuid() == 0 else []),
        sys.executable,
        "-m",
        "pratique",
        "agent",
        *words,
    ]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def said(done: subprocess.CompletedProcess[str], *, code: int = 1) -> str:
    """The one sentence that a person reads."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


def logged(site: Installation, pattern: str, seconds: float = 20) -> str:
    """The line of the service's log that says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := re.search(f".*{pattern}.*", site.log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"{pattern!r} was not logged:\n{site.log.read_text()[-3000:]}")


# The service


def test_the_port_is_in_use(site: Installation) -> None:
    sentence = said(site.cli("serve", check=False))
    assert f"port {site.port} on 127.0.0.1 is in use" in sentence or "/udp: Address already in use" in sentence
    assert "chooses another" in sentence or "choose other ports" in sentence


def test_the_port_of_radius_is_in_use(tmp_path: Path) -> None:
    with installed(tmp_path) as made, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as freeradius:
        freeradius.bind(("127.0.0.1", 0))
        port = freeradius.getsockname()[1]
        text = re.sub(r"authentication = .*", f'authentication = "127.0.0.1:{port}"', made.file.read_text())
        made.file.write_text(text)
        sentence = said(made.cli("serve", check=False))
    assert f"cannot listen on 127.0.0.1:{port}/udp: Address already in use" in sentence
    assert "is another RADIUS server running?" in sentence
    assert "radius.authentication" in sentence


def test_a_folder_that_this_user_may_not_write(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir(mode=0o555)
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    config = tmp_path / "pratique.toml"
    config.write_text(f'[service]\ndata = "{folder}/data"\n')
    command = [*bare, sys.executable, "-m", "pratique", "serve", "--config", str(config)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert said(done) == (
        f"pratique: {folder}/data cannot be written by this user; service.data chooses another folder"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[service]\ndatabse = 'x'\n", r':2: unknown key "databse" in \[service\]; did you mean "database"\?'),
        ("[radiu]\n", r':1: unknown section \[radiu\]; did you mean "radius"\?'),
        ("[api]\nlisten = 8443\n", r":2: api.listen is HOST:PORT, for example"),
        ("[api\n", r"this is no TOML"),
    ],
)
def test_a_key_of_the_configuration_is_misspelt(tmp_path: Path, text: str, sentence: str) -> None:
    with installed(tmp_path) as made:
        made.file.write_text(text)
        for words in (("serve",), ("config", "check"), ("host", "list")):
            assert re.search(f"pratique: {re.escape(str(made.file))}.*{sentence}", said(made.cli(*words, check=False)))


def test_there_is_no_database_yet(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        sentence = said(made.cli("host", "list", check=False))
    assert "is empty; make its tables with: pratique database migrate" in sentence


def test_the_database_is_locked_by_somebody(site: Installation) -> None:
    database = sqlite3.connect(site.folder / "data" / "pratique.db")
    try:
        database.execute("BEGIN IMMEDIATE")
        assert site.cli("host", "list", check=False).returncode == 0, "who only reads does not wait"
        sentence = said(site.cli("allow", "add", "a" * 64, check=False))
    finally:
        database.close()
    assert "another process has held the database" in sentence
    assert "try again, or find the process that keeps it" in sentence


@pytest.mark.peer("root")
def test_the_disk_is_full(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.cli("database", "migrate")
        disk = tmp_path / "disk"
        disk.mkdir()
        size = (made.folder / "data" / "pratique.db").stat().st_size // 1024 + 200
        many = tmp_path / "many.txt"
        many.write_text("".join(f"{number:064x}\n" for number in range(20_000)))
        script = (
            'mount -t tmpfs -o size="$1"k none "$2" && cp "$3" "$2/p.db" && shift 3 && exec "$@"'  # a disk of our own
        )
        database = made.folder / "data" / "pratique.db"
        words = ["-m", "pratique", "allow", "import", str(many), "--yes", "--config", str(made.file)]
        command = [
            "unshare",
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            str(size),
            str(disk),
            str(database),
            sys.executable,
            *words,
        ]
        done = subprocess.run(
            [*command, "--database", f"sqlite:///{disk}/p.db"],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert re.search(r"no space left for the database|does not take what is written", said(done))
    assert "free some" in done.stderr
    assert "nothing acknowledged was lost" in done.stderr


def test_the_mail_server_is_away(site: Installation) -> None:
    site.cli("mode", "monitor")  # in `learn` a first run waits for the digest
    Endpoint(site, "02:00:00:00:00:31").enrol(site.cli("enrol-token").stdout)
    host = Endpoint(site, "02:00:00:00:00:32")
    host.enrol(site.cli("enrol-token").stdout)
    host.send(host.report("b" * 64))
    line = logged(site, "127.0.0.1:.*(refused|cannot be reached|Connect)")
    assert "Traceback" not in line
    health = site.client().get("/healthz")
    assert health.status_code == 200, "the service goes on"


# RADIUS


def ask(site: Installation, secret: bytes) -> bytes | None:
    """An Access-Request of a switch at 127.0.0.1; what came back."""
    port = int(re.findall(r'authentication = ".*:(\d+)"', site.file.read_text())[0])
    packet = codec.request(
        codec.ACCESS_REQUEST, 1, [(1, b"020000000010"), (31, b"02-00-00-00-00-10"), (6, 10)], secret, os.urandom(16)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as switch:
        switch.settimeout(1.0)
        switch.sendto(packet, ("127.0.0.1", port))
        try:
            return switch.recv(4096)
        except TimeoutError:
            return None


def test_a_switch_that_is_not_listed_then_with_the_wrong_secret_then_right(site: Installation) -> None:
    assert ask(site, SECRET) is None
    assert "No NAS with this address is known to this listener; add it (pratique nas add)" in logged(
        site, "No NAS with"
    )
    site.cli("nas", "add", "sw1", "127.0.0.1", "--secret", "another-secret", "--profile", "lab")
    time.sleep(1)
    assert ask(site, SECRET) is None
    line = logged(site, "shared secret differs")
    assert "127.0.0.1" in line
    assert "set the same secret on both sides" in line
    site.cli("nas", "add", "sw1", "127.0.0.1", "--secret", SECRET.decode(), "--profile", "lab", "--replace")
    end = time.monotonic() + 10
    while (answer := ask(site, SECRET)) is None:
        assert time.monotonic() < end
    assert codec.decode(answer).code == codec.ACCESS_ACCEPT


@pytest.mark.peer("root")
def test_the_packets_of_a_switch_are_shown_in_words_with_whether_they_fit(site: Installation) -> None:
    site.cli("nas", "add", "sw1", "127.0.0.1", "--secret", SECRET.decode(), "--profile", "lab", "--replace")
    time.sleep(1)
    command = [sys.executable, "-m", "pratique", "nas", "trace", "sw1", "--seconds", "8", "--config", str(site.file)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as looking:
        while looking.poll() is None:
            ask(site, SECRET)
            time.sleep(0.2)
        assert looking.stdout
        lines = looking.stdout.read()
    assert re.search(r"127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+  Access-Request 1  \(fits the secret\)", lines), lines
    assert "Calling-Station-Id = 02-00-00-00-00-10" in lines
    assert re.search(r"Access-Accept 1  \(fits the secret\)", lines)


def test_seeing_packets_needs_a_right(site: Installation) -> None:
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    command = [*bare, sys.executable, "-m", "pratique", "nas", "trace", "--config", str(site.file)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert "needs root, or the right CAP_NET_RAW: use sudo" in said(done)


def test_a_profile_that_does_not_exist(site: Installation) -> None:
    done = site.cli("nas", "add", "sw9", "127.0.0.9", "--secret", "long-enough", "--profile", "generc", check=False)
    assert 'there is no NAS profile "generc"; did you mean generic?' in said(done)


# The endpoint


def test_a_token_that_is_wrong_damaged_or_used(site: Installation, tmp_path: Path) -> None:
    token = site.cli("enrol-token").stdout.strip()
    state = ("--state", str(tmp_path / "agent"), "--mac", "02:00:00:00:00:41")
    assert "this is no enrolment token: it must begin with 'ptq1.'" in said(agent("enrol", "hunter2", *state))
    assert "paste it whole" in said(agent("enrol", token[:-20], *state))
    assert agent("enrol", token, *state).returncode == 0
    sentence = said(agent("enrol", token, *state, "--replace"))
    assert "this token was used before; each token enrols one endpoint; make one with: pratique enrol-token" in sentence
    assert "to enrol it anew add --replace" in said(agent("enrol", token, *state))


def test_a_token_of_a_service_that_is_not_there(tmp_path: Path, site: Installation) -> None:
    from health_agent.contract import EnrolmentToken

    token = EnrolmentToken.parse(site.cli("enrol-token").stdout)
    elsewhere = msgspec.structs.replace(token, url=f"https://127.0.0.1:{free_port()}").text()
    sentence = said(agent("enrol", elsewhere, "--state", str(tmp_path), "--mac", "02:00:00:00:00:42"))
    assert "cannot be reached" in sentence
    assert "is the service running, and is this its address?" in sentence


def test_the_certificate_of_the_service_is_another_than_at_enrolment(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.start()
        state = ("--state", str(tmp_path / "agent"))
        token = made.cli("enrol-token").stdout.strip()
        assert agent("enrol", token, *state, "--mac", "02:00:00:00:00:43").returncode == 0
        old = made.cli("enrol-token").stdout.strip()
        made.stop()
        shutil.rmtree(made.folder / "data" / "tls")
        made.start()
        programs = tmp_path / "programs"
        programs.mkdir()
        sentence = said(agent("learn", *state, "--watch", str(programs)))
        assert "is not the one this endpoint was enrolled with" in sentence
        assert "if the service was set up anew, enrol again" in sentence
        sentence = said(agent("enrol", old, *state, "--replace"))
        assert "is not the one this token was made for; the service was set up anew (make a new token)" in sentence
        assert "authority_changed" in logged(made, "authority_changed"), "the service says it too"


def test_a_clock_that_is_off_by_an_hour_is_told_with_the_right_time(site: Installation) -> None:
    host = Endpoint(site, "02:00:00:00:00:44")
    host.enrol(site.cli("enrol-token").stdout)
    hour_ago = time.time_ns() // 1000 - 3_600_000_000
    answer = host.post(msgspec.json.encode(msgspec.structs.replace(host.report("c" * 64), clock_us=hour_ago)))
    assert answer.status_code == 409
    problem = answer.json()
    assert "seconds old by the service's clock" in problem["detail"]
    assert "correct the clock, or sign anew with the offset that service_us shows" in problem["detail"]
    fixed = msgspec.structs.replace(
        host.report("c" * 64), clock_us=hour_ago, offset_us=problem["service_us"] - hour_ago
    )
    assert host.post(msgspec.json.encode(fixed)).status_code == 200, "what the agent does by itself"


def test_no_right_to_watch_by_fanotify(site: Installation, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "agent"))
    agent("enrol", site.cli("enrol-token").stdout.strip(), *state, "--mac", "02:00:00:00:00:45")
    sentence = said(agent("run", "--sensor", "fanotify", *state, without_rights=True))
    assert "fanotify" in sentence
    assert re.search(r"root|CAP_SYS_ADMIN|--sensor polling", sentence)


def test_an_agent_that_may_not_write_its_state(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir(mode=0o555)
    sentence = said(agent("run", "--state", str(folder / "agent"), without_rights=True))
    assert str(folder) in sentence
    assert re.search(r"enrol|cannot be used", sentence)


# Setting it up


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as tools/setup reads, and a machine with no more than the usual small programs."""
    made = tmp_path / "checkout"
    (made / "tools").mkdir(parents=True)
    shutil.copy(REPOSITORY / "tools" / "setup", made / "tools")
    shutil.copytree(REPOSITORY / "requirements", made / "requirements")
    shutil.copy(REPOSITORY / "pyproject.toml", made)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "id", "cat", "cksum", "sed", "tr", "mktemp", "rm", "chmod", "grep"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    return made


def program(checkout: Path, name: str, text: str) -> Path:
    file = checkout.parent / "bin" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def setup(checkout: Path, purpose: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "tools" / "setup", purpose],
        env={"PATH": str(checkout.parent / "bin"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


OLD = 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac'


def test_python_is_too_old(checkout: Path) -> None:
    program(checkout, "python3", OLD)
    sentence = said(setup(checkout, "run"))
    assert "Python 3.11 or newer is needed and was not found (Python 3.9.2)" in sentence
    assert "install one, or name it with PYTHON=/path/to/python3.11" in sentence


def test_the_python_that_was_named_is_too_old(checkout: Path) -> None:
    old = program(checkout, "python-of-old", OLD)
    sentence = said(setup(checkout, "run", PYTHON=str(old)))
    assert f"{old} is Python 3.9.2; Python 3.11 or newer is needed" in sentence


def test_python_has_no_venv_and_there_is_no_root(checkout: Path) -> None:
    program(checkout, "python3", 'case "$2" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac')
    sentence = said(setup(checkout, "run"))
    assert "has no venv module; ask your administrator to run: apt-get install python3-venv" in sentence
    assert not (checkout / ".venv").exists()


def test_no_apt_leaves_the_real_peers_out_and_says_so(checkout: Path) -> None:
    done = setup(checkout, "peers")
    assert done.returncode == 0, done.stderr
    assert "no root or no apt: tests that need a real peer which is missing are skipped and counted" in done.stdout


def test_an_unknown_purpose(checkout: Path) -> None:
    assert "unknown purpose 'rnu'" in said(setup(checkout, "rnu"))
