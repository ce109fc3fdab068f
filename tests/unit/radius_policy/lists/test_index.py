"""Which entry of the lists holds for a start, and which does not."""

from typing import Any

import pytest

from radius_policy.facts.table import Facts
from radius_policy.lists import Lists
from radius_policy.model import DEFAULT_TENANT, ListEntry, ListKind

A = "a" * 64
NOW = 1_000


def entry(kind: ListKind, value: str, action: str = "allow", **more: Any) -> ListEntry:
    return ListEntry(DEFAULT_TENANT, "e1", action, kind, value, **more)


SIGNED = {
    "hash": A,
    "signer.name": "Zoom Video",
    "signer.state": "valid",
    "product": "Zoom",
    "version": "5.17.2",
    "signer.certificate": "c" * 64,
}
PACKAGED = {"hash": A, "provenance.detail": "apt:vim@9.0", "provenance.proven": True}


@pytest.mark.parametrize(
    ("kind", "value", "facts"),
    [
        (ListKind.HASH, A, {"hash": A}),
        (ListKind.SIGNER, "zoom video", SIGNED),
        (ListKind.CERTIFICATE, "c" * 64, SIGNED),
        (ListKind.PRODUCT, "Zoom Video|zoom|5.17", SIGNED),
        (ListKind.PRODUCT, "Zoom Video|Zoom|", SIGNED),
        (ListKind.PACKAGE, "vim", PACKAGED),
        (ListKind.PACKAGE, "apt:vim", PACKAGED),
        (ListKind.PACKAGE, "apt:vim@9.0", PACKAGED),
        (ListKind.INSTALLER, "d" * 64, {"hash": A, "writer.hash": "d" * 64}),
    ],
)
def test_an_allow_entry_holds_for_what_it_names(kind: ListKind, value: str, facts: dict[str, Any]) -> None:
    hit = Lists([entry(kind, value)]).allow(Facts(facts), NOW)
    assert hit is not None
    assert hit.entry.id == "e1"


@pytest.mark.parametrize(
    ("kind", "value", "facts"),
    [
        (ListKind.HASH, A, {"hash": "b" * 64}),
        (ListKind.HASH, A, {}),
        (ListKind.SIGNER, "Zoom Video", SIGNED | {"signer.state": "expired"}),
        (ListKind.SIGNER, "Zoom Video", SIGNED | {"signer.state": "invalid"}),
        (ListKind.SIGNER, "Zoom Video", {"hash": A, "signer.name": "Zoom Video"}),
        (ListKind.CERTIFICATE, "c" * 64, SIGNED | {"signer.state": "expired"}),
        (ListKind.PRODUCT, "Zoom Video|Zoom|5.18", SIGNED),
        (ListKind.PRODUCT, "Zoom Video|Other|1", SIGNED),
        (ListKind.PRODUCT, "Zoom Video|Zoom|1", SIGNED | {"signer.state": "unsigned"}),
        (ListKind.PACKAGE, "vim", PACKAGED | {"provenance.proven": False}),
        (ListKind.PACKAGE, "vim", {"hash": A, "provenance.detail": "apt:vim@9.0"}),
        (ListKind.PACKAGE, "apt:vim@9.1", PACKAGED),
        (ListKind.INSTALLER, "d" * 64, {"hash": A, "parent.hash": "d" * 64}),
    ],
)
def test_an_allow_entry_does_not_hold_for_anything_else(kind: ListKind, value: str, facts: dict[str, Any]) -> None:
    assert Lists([entry(kind, value)]).allow(Facts(facts), NOW) is None


@pytest.mark.parametrize("state", ["valid", "expired", "invalid"])
def test_a_denied_certificate_counts_in_every_state(state: str) -> None:
    lists = Lists([entry(ListKind.CERTIFICATE, "c" * 64, "deny")])
    assert lists.deny(Facts(SIGNED | {"signer.state": state}), NOW) is not None


def test_a_denied_signer_name_counts_where_the_signature_is_valid() -> None:
    lists = Lists([entry(ListKind.SIGNER, "Zoom Video", "deny")])
    assert lists.deny(Facts(SIGNED), NOW) is not None
    assert lists.deny(Facts(SIGNED | {"signer.state": "invalid"}), NOW) is None


@pytest.mark.parametrize("more", [{"confirmed": False}, {"expires": NOW}, {"expires": NOW - 1}])
def test_an_unconfirmed_or_expired_entry_decides_nothing(more: dict[str, Any]) -> None:
    for action in ("allow", "deny"):
        lists = Lists([entry(ListKind.HASH, A, action, **more)])
        assert lists.allow(Facts({"hash": A}), NOW) is None
        assert lists.deny(Facts({"hash": A}), NOW) is None


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ("fleet", True),
        ("site:bonn", True),
        ("site:ulm", False),
        ("group:tills", True),
        ("group:x", False),
        ("host:h1", True),
        ("host:h2", False),
        ("nonsense", False),
    ],
)
def test_an_entry_holds_within_its_scope(scope: str, holds: bool) -> None:
    here = Facts({"hash": A, "host.site": "bonn", "host.groups": ("tills", "all"), "host.id": "h1"})
    assert (Lists([entry(ListKind.HASH, A, scope=scope)]).allow(here, NOW) is not None) is holds


def test_of_several_entries_for_one_hash_any_that_holds_is_enough() -> None:
    gone = entry(ListKind.HASH, A, expires=1)
    lists = Lists([gone, ListEntry(DEFAULT_TENANT, "e2", "allow", ListKind.HASH, A)])
    hit = lists.allow(Facts({"hash": A}), NOW)
    assert hit is not None
    assert hit.entry.id == "e2"
