"""The stories: each is found by its name, and each is told in the acceptance tests."""

from pathlib import Path

import pytest

from lab.stories import STORIES, load

TESTS = Path(__file__).resolve().parents[2] / "acceptance"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_what_its_name_says_and_has_a_test_of_its_own(name: str) -> None:
    story = load(name)
    assert (story.name, story.__class__.__name__) == (name, "Story")
    test = TESTS / f"test_{name.replace('-', '_')}.py"
    assert test.exists(), f"a story is proved by a test: {test.name}"
    assert f'"{name}"' in test.read_text(encoding="utf-8")


def test_an_unknown_story_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load("no-such-story")
