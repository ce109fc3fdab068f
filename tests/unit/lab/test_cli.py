"""`pratique lab`: what a newcomer may type."""

import pytest

from lab import cli
from lab.stories import STORIES, load


def test_the_list_names_every_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["story", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in STORIES)


@pytest.mark.parametrize("name", sorted(STORIES))
def test_every_story_can_be_loaded_under_its_name(name: str) -> None:
    assert load(name).name == name


def test_a_story_without_a_name_is_a_usage_error_that_tells_where_the_names_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["story"])
    assert ended.value.code == 2
    assert "--list" in capsys.readouterr().err


def test_an_impossible_fabric_is_refused_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cli.main(["story", "first-light", "--fabric", "netns"]) == 1
    assert "need root" in capsys.readouterr().err
