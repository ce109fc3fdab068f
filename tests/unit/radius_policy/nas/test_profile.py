"""NAS profiles: each shipped one is complete; a wrong one says file, key and what would be right."""

import tomllib
from importlib.resources import files

import pytest

from radius_policy.model import SECOND
from radius_policy.nas.profile import Evidence, Kind, Otherwise, ProfileError, load, names, read
from radius_policy.radius.wire import Code

GENERIC = (files("radius_policy.nas") / "profiles" / "generic.toml").read_text("utf-8")


@pytest.mark.parametrize("name", names())
def test_every_shipped_profile_loads_and_has_evidence_for_each_method(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    raw = tomllib.loads((files("radius_policy.nas") / "profiles" / f"{name}.toml").read_text("utf-8"))
    for method in raw["method"]:
        assert method["evidence"] == "none" or method["source"], method["kind"]
    assert profile.attempt_us > 2 * SECOND, "at least one retransmission must fit into an attempt"


def test_the_lab_re_authenticates_by_coa_and_falls_back_to_disconnect() -> None:
    lab = load("lab")
    assert [(m.kind, m.code) for m in lab.methods] == [
        (Kind.REAUTHENTICATE, Code.COA_REQUEST),
        (Kind.DISCONNECT, Code.DISCONNECT_REQUEST),
    ]
    assert lab.otherwise is Otherwise.NOT_CONFIRMED


def test_a_session_is_named_verbatim_and_only_by_what_it_has() -> None:
    method = load("lab").methods[0]
    known = {31: b"02-00-00-00-00-10", 44: b"0001", 1: b"bob"}
    assert method.identify(known, 0) == [(44, b"0001"), (31, b"02-00-00-00-00-10")]
    assert method.identify(known, 1) == [(31, b"02-00-00-00-00-10")]
    assert method.identify(known, 9) == [(31, b"02-00-00-00-00-10")], "beyond the last set: the last"
    assert method.identify({31: b"x"}, 0) == [(31, b"x")]
    assert method.identify({1: b"bob"}, 0) == []


def test_added_attributes_may_be_standard_or_a_vendors() -> None:
    text = GENERIC + (
        'add = [{attribute = "Termination-Action", number = 1}, '
        '{vendor = 9, type = 1, text = "subscriber:command=reauthenticate"}, {vendor = 11, type = 23, octets = "0000000c"}]\n'
    )
    added = read(text, "x").methods[0].added
    assert added.startswith(b"\x1d\x06\0\0\0\1\x1a")
    assert b"\0\0\0\x09\x01\x23subscriber:command=reauthenticate" in added
    assert added.endswith(b"\x1a\x0c\0\0\0\x0b\x17\x06\0\0\0\x0c")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 2", "schema is 2"),
        ("schema = 1", "schema = ", "not TOML"),
        ("port = 3799 ", "prot = 3799 ", "prot"),
        ("port = 3799 ", "port = 99999 ", "no UDP port"),
        ("attempt_s = 30 ", "attempt_s = 0 ", "timers.attempt_s"),
        ('kind = "disconnect"', 'kind = "kick"', "kick"),
        ('kind = "disconnect"', 'kind = "disable"', "way back"),
        ('code = "disconnect"', 'code = "snmp"', "known are coa and disconnect"),
        ('["Acct-Session-Id", "Calling-Station-Id"], ', '["Acct-Sesion-Id"], ', "did you mean Acct-Session-Id"),
        ("tries = 2", "tries = 0", "allowed are 1 to 10"),
        ('source = ["RFC 5176 2, 3 and 6.3", "RFC 5080 2.2.1"]', "source = []", "source is empty"),
        ("whole_port = false", 'whole_port = "no"', "whole_port"),
        ("tries = 2", 'tries = 2\nadd = [{attribute = "State"}]', "exactly one of"),
        ("tries = 2", 'tries = 2\nadd = [{vendor = 9, text = "x"}]', "vendor and type"),
        ("tries = 2", 'tries = 2\nadd = [{attribute = "State", octets = "0g"}]', "method 1"),
        ("[[method]]", "[[methods]]", "methods"),
    ],
)
def test_a_wrong_profile_says_what_is_wrong(old: str, new: str, says: str) -> None:
    assert old in GENERIC
    with pytest.raises(ProfileError, match=r"wrong\.toml") as refused:
        read(GENERIC.replace(old, new), "wrong.toml")
    assert says in str(refused.value)


def test_a_profile_without_methods_and_unknown_names_are_refused() -> None:
    with pytest.raises(ProfileError, match=r"no \[\[method"):
        read("method = []\n" + GENERIC[: GENERIC.index("[[method]]")], "x")
    with pytest.raises(ProfileError, match="did you mean generic"):
        load("genericc")
    assert Evidence.NONE in list(Evidence)
