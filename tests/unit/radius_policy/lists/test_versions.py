"""Versions: numbers compare as numbers, and what is no version is never new enough."""

import pytest

from radius_policy.lists.versions import at_least


@pytest.mark.parametrize(
    ("version", "minimum"),
    [
        ("5.17.2", "5.17"),
        ("5.10", "5.9"),
        ("v2", "1.9.9"),
        ("1.0", "1"),
        ("1", "1.0.0"),
        ("3, 0, 1, 0", "3.0"),
        ("2.0", "2.0-beta"),
        ("2.0.1-rc1", "2.0"),
        ("7", ""),
    ],
)
def test_a_newer_or_equal_version_is_enough(version: str, minimum: str) -> None:
    assert at_least(version, minimum)


@pytest.mark.parametrize(
    ("version", "minimum"),
    [
        ("5.9", "5.10"),
        ("2.0-beta", "2.0"),
        ("1.9.9", "2"),
        (None, "1"),
        ("", "1"),
        ("latest", "1"),
        ("1.0", "latest"),
        (5, "1"),
        ("latest", ""),
    ],
)
def test_an_older_or_unreadable_version_is_not(version: object, minimum: str) -> None:
    assert not at_least(version, minimum)
