"""What an agent says about itself."""

from pathlib import Path

import msgspec
import pytest

from health_agent import status
from health_agent.status import Status

NOW = Status(
    pid=7, version="0.1", host_id="host-0001", site="main", url="https://10.0.0.1:8443", sensor="fanotify",
    sensor_reason="fanotify: every start is seen", watch=(), started_us=1, connected=True, problem="", last_answer_us=2,
    offset_us=-1_500_000, reported=5, alive=1, spooled=0, baseline=2000, lost={"overflow": 2},
)  # fmt: skip


def test_a_status_comes_back_as_it_was_written(tmp_path: Path) -> None:
    status.write(tmp_path / "status.json", NOW)
    assert status.read(tmp_path / "status.json") == NOW
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_foreign_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{}")
    with pytest.raises(ValueError, match="is not understood"):
        status.read(tmp_path / "status.json")


def test_people_read_sentences() -> None:
    text = status.text(NOW)
    assert "running (pid 7" in text
    assert "-1.500 s" in text
    assert "overflow 2" in text
    assert "all local file systems" in text
    assert "location: not known" in text
    here = msgspec.structs.replace(NOW, location="Gi1/0/17 of sw-floor2 (lldp)")
    assert "location: Gi1/0/17 of sw-floor2 (lldp)" in status.text(here)
    broken = msgspec.structs.replace(
        NOW, connected=False, problem="nobody there", running=False, lost={}, watch=("/a", "/b")
    )
    text = status.text(broken)
    assert "NOT running" in text
    assert "not connected: nobody there" in text
    assert "nothing" in text
    assert "/a, /b" in text
    assert "not asked yet" in status.text(msgspec.structs.replace(NOW, connected=None))
