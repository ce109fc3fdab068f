"""Imports: previewed, whole or not at all, wide denies only proposed, and undone by the batch."""

from collections.abc import Iterable
from typing import Any

import pytest

from radius_policy.judgement.imports import Imported, carry_out, confirm, plan, undo, wide_by_store
from radius_policy.lists.index import Lists
from radius_policy.lists.sources import Entry
from radius_policy.model import DEFAULT_TENANT, HostExecutable, HostId, ListEntry, ListKind, Prevalence, Sha256
from radius_policy.store.interface import Tx
from radius_policy.store.memory import MemoryStore

A, B, C = (Sha256(letter * 64) for letter in "abc")
NOW = 5_000
HOST = HostId("h1")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def lines(*hashes: str) -> list[Entry]:
    return [Entry(number, sha, f"sample {number}") for number, sha in enumerate(hashes, 1)]


def imported(tx: Tx, of: Iterable[Entry], action: str = "deny", **more: Any) -> Imported:
    planned = plan(tx, DEFAULT_TENANT, of, action=action, author="ann", why="own set", now=NOW, **more)
    return carry_out(tx, DEFAULT_TENANT, planned)


def entries(tx: Tx, sha: str) -> list[ListEntry]:
    return tx.find(ListEntry, tenant=DEFAULT_TENANT, kind=ListKind.HASH, value=sha)


def test_a_preview_writes_nothing(store: MemoryStore) -> None:
    with store.transaction() as tx:
        planned = plan(tx, DEFAULT_TENANT, lines(A, B, A), action="deny", author="ann", why="own set", now=NOW)
        assert [entry.value for entry in planned.entries] == [A, B]
        assert [entry.why for entry in planned.entries] == ["own set: sample 1", "own set: sample 2"]
        assert tx.count(ListEntry, tenant=DEFAULT_TENANT) == 0


def test_an_import_is_one_batch_and_undone_as_one(store: MemoryStore) -> None:
    with store.transaction() as tx:
        tx.put(Prevalence(DEFAULT_TENANT, A, "fleet", 1, 0, 0))
        done = imported(tx, lines(A, B))
        assert (done.entries, done.proposed, done.touched) == (2, 0, (A,))
        again = imported(tx, lines(A, B, C))
        assert again.entries == 1
        back = undo(tx, DEFAULT_TENANT, done.batch, now=9)
        assert (back.entries, back.touched) == (2, (A,))
        assert entries(tx, A) == []
        assert len(entries(tx, C)) == 1
        with pytest.raises(LookupError, match="undone already"):
            undo(tx, DEFAULT_TENANT, done.batch, now=9)


@pytest.mark.parametrize("batch", ["", "b0"])
def test_undoing_what_was_never_imported_is_refused(store: MemoryStore, batch: str) -> None:
    with store.transaction() as tx:
        tx.put(ListEntry(DEFAULT_TENANT, "single", "deny", ListKind.HASH, A))
        with pytest.raises(LookupError):
            undo(tx, DEFAULT_TENANT, batch, now=9)
        assert len(entries(tx, A)) == 1


def test_a_deny_of_a_packaged_or_widespread_file_is_proposed_and_decides_nothing_until_confirmed(
    store: MemoryStore,
) -> None:
    """J10: an imported deny set names an OS file."""
    with store.transaction() as tx:
        tx.put(
            Prevalence(DEFAULT_TENANT, A, "fleet", 1400, 0, 0),
            Prevalence(DEFAULT_TENANT, B, "fleet", 1, 0, 0),
            HostExecutable(
                DEFAULT_TENANT, HOST, B, 0, 0, facts={"provenance.proven": True, "provenance.detail": "apt:libc@2"}
            ),
            ListEntry(DEFAULT_TENANT, "inv", "allow", ListKind.HASH, C, author="inventory", proven=True),
        )
        wide = wide_by_store(tx, DEFAULT_TENANT, most_hosts=3)
        planned = plan(
            tx, DEFAULT_TENANT, lines(A, B, C, "d" * 64), action="deny", author="set", why="lol", now=NOW, wide=wide
        )
        assert [(entry.value, reason) for entry, reason in planned.proposed] == [
            (A, "it ran on 1400 hosts, the breaker moves 3"),
            (B, "an installed package owns it: apt:libc@2"),
            (C, "the inventory lists it as owned by an installed package"),
        ]
        done = carry_out(tx, DEFAULT_TENANT, planned)
        assert (done.entries, done.proposed) == (1, 3)
        (line,) = entries(tx, A)
        assert Lists([line]).deny({"hash": A}, NOW) is None  # type: ignore[arg-type]
        assert confirm(tx, DEFAULT_TENANT, line.id, "ann").touched == (A,)
        (confirmed,) = entries(tx, A)
        assert (confirmed.confirmed, confirmed.author) == (True, "ann")
        with pytest.raises(LookupError, match="no proposed entry"):
            confirm(tx, DEFAULT_TENANT, line.id, "ann")
        with pytest.raises(LookupError):
            confirm(tx, DEFAULT_TENANT, "nothing", "ann")


def test_an_allow_import_is_never_wide(store: MemoryStore) -> None:
    with store.transaction() as tx:
        done = imported(tx, lines(A), action="allow", wide=lambda sha: "wide", scope="site:bonn", expires=NOW + 1)
        (line,) = entries(tx, A)
        assert (done.entries, line.scope, line.expires, line.confirmed) == (1, "site:bonn", NOW + 1, True)


def test_another_process_is_told_that_the_lists_changed(store: MemoryStore) -> None:
    with store.transaction() as tx:
        imported(tx, lines(A))
    assert ("settings", "lists") in [(each.kind, each.key) for each in store.reading().changes_since(0)]
