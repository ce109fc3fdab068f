"""Reading /proc, on this very process and a child of it."""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

from health_agent import processes
from health_agent.processes import Process, Users


def test_this_process_has_its_parent_and_a_birth_that_is_not_in_the_future() -> None:
    here = processes.process(os.getpid())
    assert here is not None
    assert here.parent == os.getppid()
    assert here.user == os.geteuid()
    assert 0 < time.time() - here.started_us / 1e6 < 3600
    assert processes.lives(here.pid, here.birth)
    assert not processes.lives(here.pid, here.birth + 1), "the same pid, another process"


def test_a_process_that_is_gone_is_none() -> None:
    child = subprocess.Popen(["/bin/true"])
    here = processes.process(child.pid)
    assert here is not None
    time.sleep(0.05)
    assert not processes.lives(child.pid, here.birth), "a zombie runs no more"
    child.wait()
    assert processes.process(child.pid) is None
    assert processes.path_of(child.pid) is None


def test_a_program_whose_name_looks_like_fields_is_understood(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    child = subprocess.Popen([program, "10"])
    try:
        here = processes.process(child.pid)
        assert here is not None
        assert here.parent == os.getpid()
    finally:
        child.kill()
        child.wait()


def test_the_chain_of_parents_leads_upwards_nearest_first() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        chain = processes.parents(
            processes.process(child.pid), Users(), lambda pid: "f" * 64 if pid == os.getpid() else None
        )
        assert chain[0].pid == os.getpid()
        assert chain[0].path == os.path.realpath(f"/proc/{os.getpid()}/exe")
        assert chain[0].sha256 == "f" * 64
        assert [program.sha256 for program in chain[1:]] == [None] * (len(chain) - 1)
        assert len(chain) <= processes.DEPTH
    finally:
        child.communicate(b"\n")


def test_nobody_has_no_parents() -> None:
    assert processes.parents(None, Users()) == ()
    assert processes.parents(Process(1, 1, 0), Users()) == ()


def test_users_are_named_and_unknown_ones_are_numbers(tmp_path: Path) -> None:
    assert Users().name(os.geteuid()) == pwd.getpwuid(os.getuid()).pw_name
    passwd = tmp_path / "passwd"
    passwd.write_text("anna:x:1000:1000::/home/anna:/bin/sh\n# a comment\nbroken\n")
    users = Users(passwd)
    assert [users.name(number) for number in (1000, 4242)] == ["anna", "4242"]


def test_without_a_user_list_everybody_is_a_number(tmp_path: Path) -> None:
    assert Users(tmp_path / "missing").name(0) == "0"


def test_paths_lose_the_kernels_mark_for_deleted_files() -> None:
    assert processes.image_path("/opt/x (deleted)") == "/opt/x"
    assert len(processes.image_path("/" + "x" * 9000)) == 4096


def test_a_boot_has_a_name() -> None:
    assert len(processes.boot_id()) == 36
