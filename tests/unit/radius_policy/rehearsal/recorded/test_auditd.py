"""Linux audit logs, as the kernel wrote them: out of order and with gaps too."""

from pathlib import Path

import pytest

from radius_policy.rehearsal.history import HistoryError
from radius_policy.rehearsal.recorded import auditd

CALL = (
    "type=SYSCALL msg=audit(1492037291.036:59): arch=c000003e syscall=59 success={} exit=0 ppid=12041 pid=13393 auid=1000 "
    'uid=0 comm="grep" exe={} key=(null)'
)


def read(tmp_path: Path, *lines: str) -> list[auditd.Told]:
    path = tmp_path / "web-1.log"
    path.write_text("\n".join(lines) + "\n")
    return list(auditd.read(path))


def test_a_start_has_path_pid_and_user_and_never_a_hash(tmp_path: Path) -> None:
    (told,) = read(tmp_path, CALL.format("yes", '"/usr/bin/grep"'))
    assert (told.host, told.path, told.pid, told.parent_pid, told.user) == (
        "web-1",
        "/usr/bin/grep",
        13393,
        12041,
        "uid:1000",
    )
    assert (told.sha256, told.judgeable, told.at) == (None, False, 1492037291_036000)


def test_a_failed_start_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, CALL.format("no", '"/usr/bin/grep"')) == []


def test_a_path_in_hexadecimal_is_read_and_a_deleted_file_is_named_as_it_was(tmp_path: Path) -> None:
    hexadecimal = b"/tmp/a b (deleted)".hex().upper()
    (told,) = read(tmp_path, CALL.format("yes", hexadecimal))
    assert told.path == "/tmp/a b"


def test_records_of_one_event_belong_together_whatever_their_order(tmp_path: Path) -> None:
    execve = 'node=db-1 type=EXECVE msg=audit(1492037291.036:59): argc=1 a0="grep"'
    other = 'node=db-1 type=CWD msg=audit(1492037291.036:60): cwd="/"'
    (told,) = read(tmp_path, execve, other, "node=db-1 " + CALL.format("yes", '"/usr/bin/grep"'))
    assert (told.host, told.path) == ("db-1", "/usr/bin/grep")


def test_a_lost_syscall_record_leaves_what_the_others_say(tmp_path: Path) -> None:
    (told,) = read(
        tmp_path,
        'type=EXECVE msg=audit(1.000:1): argc=2 a0="auditctl" a1="-a"',
        'type=PATH msg=audit(1.000:1): item=0 name="/sbin/auditctl" inode=1',
        'type=PATH msg=audit(1.000:1): item=1 name="/lib64/ld.so" inode=2',
    )
    assert (told.path, told.pid, told.user) == ("/sbin/auditctl", 0, "")


@pytest.mark.shared
def test_the_real_logs_give_every_execution_in_them(shared: Path) -> None:
    found = {path.name: len(list(auditd.read(path))) for path in sorted((shared / "data/linux").glob("*.log"))}
    assert sum(found.values()) == 13, found
    assert found["normal.log"] == found["out_of_order.log"]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="No such file"):
        list(auditd.read(tmp_path / "none.log"))
