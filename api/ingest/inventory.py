"""Baseline scans: what was on an endpoint before watching began.

Guarantees: what a scan lists is kept with its endpoint and offered as a line of the allow list, one for each content,
which decides nothing until a person confirms it (leaving `learn`), so an infection present on day one is not blessed; a
claim of one endpoint never counts for another. Tool roles are proposed from it, unconfirmed. A part of a scan is recorded
in pieces of `PIECE` lines, each its own short transaction; the message counts as recorded with the last one, and a retry
after a crash in between changes nothing.
"""

from dataclasses import dataclass
from typing import Final

from api.ingest.report import again, answer, heard
from health_agent import contract
from radius_policy.facts import roles
from radius_policy.judgement import inventory
from radius_policy.judgement.policy import Policy
from radius_policy.model import Host, Micros, Sha256, TenantId, Tool
from radius_policy.store.interface import Tx

PIECE: Final = 250


@dataclass(frozen=True, slots=True)
class _Line:
    """What roles are proposed from."""

    sha256: str
    path: str
    signer: str | None


def pieces(scan: contract.Inventory) -> list[tuple[contract.InventoryLine, ...]]:
    """The lines in pieces, the last of which goes to `finish_inventory`; at least one piece, perhaps empty. By hash, so
    that a piece touches few parts of the listing."""
    lines = sorted(scan.lines, key=lambda line: line.sha256)
    return [tuple(lines[start : start + PIECE]) for start in range(0, len(lines), PIECE)] or [()]


def take_lines(tx: Tx, host: Host, lines: tuple[contract.InventoryLine, ...], *, received: Micros) -> None:
    """Record some lines; those that are there already stay as they are."""
    told = [inventory.Line(Sha256(line.sha256), line.path, line.package or "", line.proven) for line in lines]
    inventory.take(tx, host, told, now=received)


def finish_inventory(
    tx: Tx,
    host: Host,
    scan: contract.Inventory,
    lines: tuple[contract.InventoryLine, ...],
    *,
    received: Micros,
    policy: Policy,
) -> contract.Answer:
    """Record the last piece, the tools that the whole part proposes, and the message itself."""
    fresh = heard(tx, host, scan, received=received, policy=policy)
    if fresh is None:
        return again(tx, host, scan, received=received)
    take_lines(tx, fresh, lines, received=received)
    for tool in _tools(host.tenant, scan.lines):
        tx.add(tool)
    return answer(tx, fresh, scan, received=received)


def _tools(tenant: TenantId, lines: tuple[contract.InventoryLine, ...]) -> list[Tool]:
    seen = [_Line(line.sha256, line.path, line.signer.name if line.signer else None) for line in lines]
    return list(roles.propose(seen, tenant=tenant).values())
