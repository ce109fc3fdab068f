"""Signed links: nobody makes or alters one without the key, and they do not last for ever."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alerts.links import LIFE, BadLink, Links, key_in

LINKS = Links("https://nac.example.org", b"k" * 32)
NOW = 1_000_000


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


def test_a_link_names_one_deed_on_one_thing_until_a_moment() -> None:
    target = LINKS.read(token(LINKS.make(1, "allow", NOW, sha256="a" * 64)), NOW + LIFE)
    assert (target.tenant, target.doing, target.sha256, target.host_id) == (1, "allow", "a" * 64, "")


def test_a_link_may_name_an_urgent_matter_to_acknowledge() -> None:
    target = LINKS.read(token(LINKS.make(1, "acknowledge", NOW, alert="e" * 32)), NOW)
    assert (target.doing, target.alert, target.sha256) == ("acknowledge", "e" * 32, "")


def test_a_link_of_another_key_is_refused() -> None:
    other = Links("https://nac.example.org", b"o" * 32)
    with pytest.raises(BadLink, match="damaged"):
        LINKS.read(token(other.make(1, "deny", NOW)), NOW)


def test_a_link_ends_after_thirty_days() -> None:
    with pytest.raises(BadLink, match="30 days"):
        LINKS.read(token(LINKS.make(1, "deny", NOW)), NOW + LIFE + 1)


@given(st.text(max_size=300))
def test_no_text_but_a_link_is_read_as_one(text: str) -> None:
    with pytest.raises(BadLink):
        LINKS.read(text, NOW)


@given(st.integers(0, 200), st.characters(categories=("L", "N")))
def test_an_altered_link_is_refused(position: int, character: str) -> None:
    good = token(LINKS.make(1, "allow", NOW, sha256="a" * 64))
    altered = good[: position % len(good)] + character + good[position % len(good) + 1 :]
    if altered == good:
        return
    try:
        target = LINKS.read(altered, NOW)
    except BadLink:
        return
    # the last character of base64 may carry bits that mean nothing: then it is the same link
    assert target == LINKS.read(good, NOW)


def test_the_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    key = key_in(tmp_path)
    assert key_in(tmp_path) == key
    assert len(key) == 32
    assert (tmp_path / "links.key").stat().st_mode & 0o777 == 0o600
