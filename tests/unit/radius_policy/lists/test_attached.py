"""The sets that the setting names are open; one that is lost does not stop the others."""

from hashlib import sha256
from pathlib import Path

import pytest

from radius_policy.lists.attached import Attached, wanted_sets


def listed(folder: Path, name: str) -> tuple[Path, str]:
    sha = sha256(name.encode()).hexdigest()
    path = folder / name
    path.write_text(sha)
    return path, sha


def test_sets_are_opened_kept_and_closed_as_the_setting_changes(tmp_path: Path) -> None:
    (one, sha), (two, other) = listed(tmp_path, "one"), listed(tmp_path, "two")
    attached = Attached()
    (first,) = attached.follow({"sets": [{"name": "one", "path": str(one), "allows": True}]})
    assert first.allows
    assert first.lookup(sha) == ""
    both = attached.follow(
        {"sets": [{"name": "one", "path": str(one), "allows": True}, {"name": "two", "path": str(two)}]}
    )
    assert both[0] is first
    assert not both[1].allows
    assert both[1].lookup(other) == ""
    assert attached.follow({}) == ()
    assert attached.sets == ()


def test_a_lost_set_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    one, sha = listed(tmp_path, "one")
    attached = Attached()
    rows = [{"name": "one", "path": str(one)}, {"name": "gone", "path": str(tmp_path / "gone")}]
    (only,) = attached.follow({"sets": rows})
    assert only.lookup(sha) == ""
    assert "gone" in attached.broken
    one.unlink()
    assert attached.follow({"sets": rows}) == ()
    assert set(attached.broken) == {"one", "gone"}


def test_a_policy_may_go_on_using_a_set_that_the_setting_names_no_longer(tmp_path: Path) -> None:
    one, sha = listed(tmp_path, "one")
    attached = Attached()
    (used,) = attached.follow({"sets": [{"name": "one", "path": str(one)}]})
    attached.follow({})
    assert used.lookup(sha) == ""


def test_a_changed_file_is_opened_anew(tmp_path: Path) -> None:
    one, sha = listed(tmp_path, "one")
    attached = Attached()
    setting = {"sets": [{"name": "one", "path": str(one)}]}
    attached.follow(setting)
    one.write_text("0" * 64 + "\n" + "1" * 64 + "\n")
    (only,) = attached.follow(setting)
    assert (only.lookup(sha), only.lookup("1" * 64)) == (None, "")
    attached.close()


@pytest.mark.parametrize(
    "row",
    [
        "x",
        {"name": "a"},
        {"name": "a", "path": "relative"},
        {"name": "", "path": "/x"},
        {"name": "a", "path": "/x", "allows": "yes"},
        {"name": "a", "path": "/x", "more": 1},
    ],
)
def test_a_senseless_line_is_refused(row: object) -> None:
    with pytest.raises(ValueError, match="reference_sets"):
        wanted_sets({"sets": [row]})


def test_two_sets_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two sets"):
        wanted_sets({"sets": [{"name": "a", "path": "/x"}, {"name": "a", "path": "/y"}]})
