"""The pictures are there, small enough for a page, and fetch nothing; what draws them sees a terminal as people do."""

import re

import pytest

from docs.pictures import COLUMNS, FOLDER, PICTURES, _on_a_terminal, main


@pytest.mark.parametrize("name", ["story.svg", "console.png", "console-dark.png"])
def test_a_picture_is_there_and_small_enough_for_a_page(name: str) -> None:
    assert 1_000 < (FOLDER / name).stat().st_size < 400_000, "run: make pictures"


def test_the_picture_of_the_story_fetches_nothing() -> None:
    svg = (FOLDER / "story.svg").read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert not re.search(r"url\((?!#)|href=", svg)


def test_it_shows_a_story_that_ended_well() -> None:
    svg = (FOLDER / "story.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    for said in ("make run", "never seen before", "Confirmed", "The story is told"):
        assert said in svg, "run: make pictures"
    assert "It failed at" not in svg


def test_a_command_on_the_terminal_sees_its_width_and_gives_its_exit_code() -> None:
    code, told = _on_a_terminal(["sh", "-c", "test -t 1 && stty size < /dev/tty 2>/dev/null || stty size <&1; exit 3"])
    assert code == 3
    assert told.split()[-1] == str(COLUMNS)


def test_only_the_pictures_that_were_named_are_made() -> None:
    assert set(PICTURES) == {"story", "console"}
    assert main(["none-of-them"]) == 1
