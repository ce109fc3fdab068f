"""Which sensor is taken, and why."""

import errno
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from health_agent import contract
from health_agent.sensors import SensorError, Surroundings, choose, fanotify
from health_agent.sensors import fanotify_syscalls as fan

AROUND = Surroundings(lambda events: None, lambda sha256: False, lambda: 0, Counter())


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fails(*_: Any) -> int:
        raise OSError(number, "the kernel says no")

    monkeypatch.setattr(fan, "init", fails)


def test_polling_is_taken_when_asked_for(tmp_path: Path) -> None:
    choice = choose([str(tmp_path)], "polling", AROUND)
    assert choice.sensor.kind is contract.Sensor.POLLING
    assert choice.reason == "polling, as asked for"


@pytest.mark.parametrize(
    ("number", "why"),
    [(errno.EPERM, "CAP_SYS_ADMIN"), (errno.ENOSYS, "has no fanotify"), (errno.EMFILE, "the kernel says no")],
)
def test_without_fanotify_polling_is_taken_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, why: str
) -> None:
    refuse(monkeypatch, number)
    choice = choose([str(tmp_path)], "auto", AROUND, interval_s=0.5)
    assert choice.sensor.kind is contract.Sensor.POLLING
    assert why in choice.reason
    assert "only by luck" in choice.reason
    assert "\n" not in choice.reason


def test_who_wants_fanotify_and_cannot_have_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refuse(monkeypatch, errno.EPERM)
    with pytest.raises(SensorError, match="CAP_SYS_ADMIN"):
        choose([str(tmp_path)], "fanotify", AROUND)


def test_a_kernel_without_pidfds_in_events_is_still_good(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def old(flags: int) -> int:
        asked.append(flags)
        if flags & fan.REPORT_PIDFD:
            raise OSError(errno.EINVAL, "unknown flag")
        return 99

    monkeypatch.setattr(fan, "init", old)
    assert fanotify._group() == (99, False)
    assert len(asked) == 2


@pytest.mark.peer("fanotify")
def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SensorError, match=f"cannot watch {tmp_path}/missing: No such file"):
        choose([f"{tmp_path}/missing"], "fanotify", AROUND)
