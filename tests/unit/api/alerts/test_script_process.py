"""One script, really started: what it gets, what it does not get, and where its limits are."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from api.alerts import script_process
from api.alerts.script_process import Ended
from api.alerts.scripts import BadScripts, Command

pytestmark = pytest.mark.anyio
USER = "nobody" if os.geteuid() == 0 else ""
LOOK = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid(), "gid": os.getgid(),
    "groups": os.getgroups(), "stdin": sys.stdin.read(), "fds": sorted(os.listdir("/proc/self/fd")),
    "privileges": [l for l in open("/proc/self/status") if l.startswith(("NoNewPrivs", "CapEff", "CapPrm"))],
    "session": os.getsid(0) == os.getpid(), "umask": os.umask(0),
}))
"""


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The service runs on uvloop, the tests elsewhere do not: subprocesses differ between them."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def open_file() -> Iterator[int]:
    """A descriptor that a script must not get."""
    file = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(file, True)
    yield file
    os.close(file)


async def run(code: str, *arguments: str, told: bytes = b"{}", timeout_s: float = 20, output: int = 65536) -> Ended:
    command = Command((sys.executable, "-I", "-c", code, *arguments), USER, timeout_s, output)
    return await script_process.run(command, told)


async def test_it_gets_its_arguments_and_the_event_and_nothing_else(
    open_file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRATIQUE_SECRET", "x")
    ended = await run(LOOK, "--one", "two words", "$(id)", told=b'{"host": "a"}')
    assert ended.code == 0, ended.output
    seen = json.loads(ended.output)
    assert seen["argv"] == ["--one", "two words", "$(id)"]
    assert seen["stdin"] == '{"host": "a"}'
    assert {key: value for key, value in seen["env"].items() if key != "LC_CTYPE"} == {
        "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"
    }  # fmt: skip
    assert str(open_file) not in seen["fds"]
    assert len(seen["fds"]) == 4, "three, and the one that lists them"
    assert (seen["cwd"], seen["session"], seen["umask"]) == ("/", True, 0o077)


async def test_it_runs_without_rights(tmp_path: Path) -> None:
    seen = json.loads((await run(LOOK)).output)
    assert "NoNewPrivs:\t1\n" in seen["privileges"]
    if os.geteuid() == 0:
        assert (seen["uid"], seen["groups"]) == (65534, [])
        assert all(line.split()[1] == "0" * 16 for line in seen["privileges"] if line.startswith("Cap"))
        secret = tmp_path / "ca.key"
        secret.write_text("x")
        secret.chmod(0o600)
        assert (await run(f"open({str(secret)!r})")).code == 1


async def test_its_exit_code_and_both_streams_are_told() -> None:
    ended = await run("import sys; print('one'); print('two', file=sys.stderr); sys.exit(7)")
    assert ended.code == 7
    assert sorted(ended.output.split()) == ["one", "two"]
    assert not ended.truncated


async def test_what_is_beyond_the_output_limit_is_thrown_away_and_stops_nobody() -> None:
    ended = await run("print('x' * 10_000_000)", output=1000)
    assert (ended.code, len(ended.output), ended.truncated) == (0, 1000, True)


async def test_one_that_does_not_listen_does_no_harm() -> None:
    assert (await run("pass", told=b"x" * 1_000_000)).code == 0


async def test_at_its_time_limit_it_and_its_children_are_killed() -> None:
    code = "import os,time; print(os.fork() or os.getpid(), flush=True); time.sleep(60)"
    began = time.monotonic()
    ended = await run(code, timeout_s=1.0)
    assert ended.code is None
    assert time.monotonic() - began < 8
    pids = [int(pid) for pid in ended.output.split()]
    assert pids
    for _ in range(150):  # they were killed, and die when the kernel gets to it
        if not any(lives(pid) for pid in pids):
            break
        await asyncio.sleep(0.02)
    assert not any(lives(pid) for pid in pids)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_one_that_leaves_a_process_in_another_session_is_not_waited_for() -> None:
    code = "import os,time\nif os.fork() == 0:\n os.setsid(); time.sleep(3); os._exit(0)\nprint('done', flush=True)"
    began = time.monotonic()
    ended = await run(code)
    assert (ended.code, ended.output) == (0, "done\n")
    assert time.monotonic() - began < 2.9


async def test_a_signal_is_told_as_that() -> None:
    assert (await run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")).code == -11


@pytest.mark.parametrize(("user", "says"), [("root", "cannot be root"), ("no-such-user", "there is no user")])
@pytest.mark.peer("root")
async def test_root_runs_them_as_somebody_unprivileged_or_not_at_all(user: str, says: str) -> None:
    with pytest.raises(BadScripts, match=says):
        await script_process.run(Command(("/bin/true",), user, 5, 100), b"")


async def test_a_program_that_is_not_there_is_an_exit_code_with_its_reason(tmp_path: Path) -> None:
    ended = await script_process.run(Command((str(tmp_path / "none"),), USER, 5, 1000), b"")
    assert ended.code in (126, 127)
    assert "none" in ended.output
