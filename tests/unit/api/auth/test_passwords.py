"""Passwords and secrets."""

import pytest

from api.auth import passwords


def test_a_password_fits_its_hash_and_no_other() -> None:
    kept = passwords.hashed("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert passwords.fits(kept, "correct horse battery")
    assert not passwords.fits(kept, "correct horse batterx")


@pytest.mark.parametrize("kept", [None, "", "$argon2id$nonsense", "plain"])
def test_no_hash_fits_nothing_and_raises_nothing(kept: str | None) -> None:
    assert passwords.fits(kept, "correct horse battery") is False


def test_a_password_of_megabytes_is_not_even_hashed() -> None:
    assert passwords.fits(passwords.hashed("correct horse battery"), "x" * 10_000_000) is False


@pytest.mark.parametrize(
    ("password", "name", "says"),
    [("short", "", "at least"), ("x" * 2000, "", "at most"), ("annannannann", "ann", "made of the name")],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, name: str, says: str) -> None:
    with pytest.raises(passwords.WeakPassword, match=says):
        passwords.hashed(password, name=name)


def test_one_time_passwords_differ_and_are_easy_to_type() -> None:
    made = {passwords.one_time() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 24 and set(one) <= set(passwords._READABLE + "-") for one in made)
    assert not set("0o1il") & set(passwords._READABLE)
