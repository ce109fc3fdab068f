"""Alerts as lines of a file: whole lines, on disk, through a rotation; a path that is none is refused."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.alerts import file as files
from api.alerts.channels import ChannelDown, ChannelRefused
from api.alerts.file import File, FileChannel

from .test_content import alert

pytestmark = pytest.mark.anyio


async def test_each_alert_is_a_line_and_a_rotated_file_is_made_anew(office: Any, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    channel = FileChannel(File(str(path)))
    given = alert(office, [office.runs(1)])
    await channel.send(given)
    await channel.send(given)
    assert [json.loads(line)["class_uid"] for line in path.read_text().splitlines()] == [2004, 2004]
    assert path.stat().st_mode & 0o777 == 0o640
    path.rename(tmp_path / "alerts.1")
    await channel.send(given)
    assert len(path.read_text().splitlines()) == 1


async def test_a_missing_folder_is_refused_and_a_link_is_not_followed(office: Any, tmp_path: Path) -> None:
    given = alert(office, [office.runs(1)])
    with pytest.raises(ChannelRefused, match="No such file"):
        await FileChannel(File(str(tmp_path / "none" / "a"))).send(given)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ChannelDown):
        await FileChannel(File(str(tmp_path / "link"))).send(given)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_full_disk_is_tried_again(office: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ChannelDown, match="No space left"):
        await FileChannel(File(str(tmp_path / "a"))).send(alert(office, [office.runs(1)]))


async def test_a_piece_that_a_full_disk_took_is_ended_so_that_the_next_line_is_whole(
    office: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given, path, whole = alert(office, [office.runs(1)]), tmp_path / "a", os.write
    channel = FileChannel(File(str(path), "cloudevents"))
    monkeypatch.setattr(files.os, "write", lambda handle, data: whole(handle, data[:10]))
    with pytest.raises(ChannelDown, match="no space left"):
        await channel.send(given)
    monkeypatch.undo()
    await channel.send(given)
    broken, good = path.read_text().splitlines()
    assert json.loads(good)["specversion"] == "1.0"
    assert len(broken) == 10


def test_the_path_is_absolute() -> None:
    with pytest.raises(msgspec.ValidationError, match="absolute"):
        msgspec.convert({"type": "file", "path": "alerts.jsonl"}, File)
