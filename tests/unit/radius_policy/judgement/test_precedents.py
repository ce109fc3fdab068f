"""Precedents: who may set one, which is kept, and that a denied executable sets none."""

from radius_policy.facts.places import place
from radius_policy.judgement import precedents
from radius_policy.judgement.precedents import Deed, has, incident, mark, pair, ran_on_pilot, remember, version_before
from radius_policy.model import Precedent, Ring, Sha256, VerdictWord
from radius_policy.store.memory import MemoryStore
from tests.world import T, sha

APP = place(r"C:\Program Files\App\app.exe")


def deed(what: str, verdict: VerdictWord, signer: str | None = "App") -> Deed:
    return Deed(T, sha(what), APP, 1, verdict, signer, "valid" if signer else None, parent=sha("updater"))


def test_only_an_allowed_executable_sets_a_precedent_for_its_signer() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        remember(tx, deed("v1", VerdictWord.GRACED))
        assert not has(tx, T, precedents.SIGNER, "App")
        remember(tx, deed("v2", VerdictWord.ALLOWED))
        assert has(tx, T, precedents.SIGNER, "App")
        assert has(tx, T, precedents.SIGNER_PARENT, pair("App", sha("updater")))
        assert not has(tx, T, precedents.SIGNER, "App", but=sha("v2"))


def test_a_place_remembers_its_best_version_and_never_answers_with_the_executable_itself() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        for what, verdict in (("v1", VerdictWord.ALLOWED), ("v2", VerdictWord.GRACED)):
            remember(tx, deed(what, verdict))
        best = version_before(tx, T, APP, "App", sha("v3"))
        assert best is not None
        assert (best.sha256, best.verdict) == (sha("v1"), VerdictWord.ALLOWED)
        assert version_before(tx, T, APP, "App", sha("v1")) is None
        assert version_before(tx, T, APP, "Other", sha("v3")) is None


def test_what_a_denied_executable_set_is_forgotten() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        remember(tx, deed("v1", VerdictWord.ALLOWED))
        precedents.forget(tx, T, sha("v1"))
        assert tx.find(Precedent, tenant=T) == []


def test_a_mark_is_set_once() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        assert mark(tx, T, precedents.TOLD, "N", 1)
        assert not mark(tx, T, precedents.TOLD, "N", 2)


def test_a_ring_counts_hosts_once_and_at_most_sixteen_users() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        for n in range(40):
            ran_on_pilot(tx, T, Sha256(sha("N")), f"pilot{n // 2}", f"user{n}", 100 - n)
        ring = tx.get(Ring, T, sha("N"))
        assert ring is not None
        assert (len(ring.hosts), len(ring.users), ring.incident) == (20, 16, False)
        incident(tx, T, sha("N"))
        ring = tx.get(Ring, T, sha("N"))
        assert ring is not None
        assert ring.incident
