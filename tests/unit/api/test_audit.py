"""The audit's chain."""

from dataclasses import replace

import pytest

from api import audit
from radius_policy.model import AuditLine
from tests.unit.api.world import World


@pytest.fixture
def lines(world: World) -> list[AuditLine]:
    def work(tx: object) -> list[AuditLine]:
        return [
            audit.append(tx, 1, at=n, who="ann", what="allow.add", subject=f"s{n}", detail={"n": n}) for n in range(5)
        ]

    return world.write(work)


def broken(world: World) -> int | None:
    return world.read(lambda tx: audit.verify(tx, 1))


def test_an_untouched_audit_fits(world: World, lines: list[AuditLine]) -> None:
    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert broken(world) is None


@pytest.mark.parametrize(
    "change", [{"who": "eve"}, {"subject": "x"}, {"at": 99}, {"detail": {}}, {"what": "y"}, {"chain": "0" * 64}]
)
def test_a_changed_line_shows(world: World, lines: list[AuditLine], change: dict[str, object]) -> None:
    world.write(lambda tx: tx.put(replace(lines[2], **change)))
    assert broken(world) == 3


def test_a_removed_line_shows(world: World, lines: list[AuditLine]) -> None:
    world.write(lambda tx: tx.delete(AuditLine, tenant=1, number=2))
    assert broken(world) == 2


def test_a_line_that_is_chained_anew_shows_at_the_next(world: World, lines: list[AuditLine]) -> None:
    forged = replace(lines[2], who="eve")
    world.write(lambda tx: tx.put(replace(forged, chain=audit.link(lines[1].chain, forged))))
    assert broken(world) == 4


def test_tenants_have_chains_of_their_own(world: World, lines: list[AuditLine]) -> None:
    other = world.write(lambda tx: audit.append(tx, 2, at=1, who="bob", what="x"))
    assert other.number == 1
    assert broken(world) is None


def test_a_long_chain_is_read_in_pages(world: World, monkeypatch: pytest.MonkeyPatch, lines: list[AuditLine]) -> None:
    monkeypatch.setattr(audit, "_BATCH", 2)
    assert broken(world) is None
    world.write(lambda tx: tx.delete(AuditLine, tenant=1, number=4))
    assert broken(world) == 4
