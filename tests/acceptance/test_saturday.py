"""Saturday, told on both fabrics with a real sshd on the switch; and that nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.python import environment, pratique
from tests.acceptance.left_behind import ended_after

FABRICS = [pytest.param("netns", marks=pytest.mark.peer("netns")), "table"]
pytestmark = [pytest.mark.slow, pytest.mark.peer("sshd")]


@pytest.mark.parametrize("fabric", FABRICS)
def test_the_one_is_stopped_found_and_freed_and_nobody_else_notices(fabric: str) -> None:
    begun = time.monotonic()
    command = pratique("lab", "story", "saturday", "--json", "--fabric", fabric)
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment(), check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])

    assert result["ok"], json.dumps(result)
    assert done.returncode == 0
    assert result["window_hosts"] == ["endpoint5"]
    assert result["others_disturbed"] == 0
    assert result["clicks_or_commands"] == 3
    assert 0 <= result["files_locked"] < result["files"]
    assert 0 < result["exec_to_moved_ms"] < result["script_port_down_ms"]
    assert result["exec_to_mail_ms"] > 0
    assert time.monotonic() - begun < 60


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short folder for state folders (UNIX sockets have short names)."""
    folder = Path(f"/tmp/saturday-{os.getpid()}")
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("fabric", FABRICS)
def test_killed_while_files_are_being_locked_nothing_of_it_is_left(fabric: str, temporary: Path) -> None:
    """The script, its sshd and the locker end with the lab."""
    command = pratique("lab", "story", "saturday", "--fabric", fabric)
    with ended_after(command, "files begin to be locked", temporary, more_than=0, seconds=15) as lab:
        os.kill(lab.pid, signal.SIGKILL)
        assert lab.wait(20) == -9
