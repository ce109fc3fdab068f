"""The data folder, before anything else is promised."""

import errno
import stat
from pathlib import Path

import pytest

from api.start import CannotStart, data_folder


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = data_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert list(made.iterdir()) == []


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(CannotStart, match=r"is no folder; service\.data"):
        data_folder(tmp_path / "data")


@pytest.mark.parametrize(
    ("number", "says"), [(errno.EACCES, "cannot be written by this user"), (errno.ENOSPC, "No space left on device")]
)
def test_no_right_and_no_space_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    import os

    def refuse(_: Path, __: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(CannotStart, match=says):
        data_folder(tmp_path)
