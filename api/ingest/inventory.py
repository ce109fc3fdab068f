"""Baseline scans: what was on an endpoint before watching began.

Guarantees: each line becomes an allow line of that host alone which decides nothing until a person confirms it (leaving `learn`), so
an infection present on day one is not blessed; a claim of one endpoint never counts for another. Tool roles are
proposed from it, unconfirmed. A part of a scan is recorded in pieces of `PIECE` lines, each its own short transaction; the message
counts as recorded with the last one, and a retry after a crash in between changes nothing.
"""

from dataclasses import dataclass
from typing import Final

from api.ingest.report import again, answer, heard
from health_agent import contract
from radius_policy.facts import roles
from radius_policy.judgement.policy import Policy
from radius_policy.model import Host, ListEntry, ListKind, Micros, TenantId, Tool
from radius_policy.store.interface import Tx

INVENTORY: Final = "inventory"
PIECE: Final = 250
PROVEN: Final = "proven"


@dataclass(frozen=True, slots=True)
class _Line:
    """What roles are proposed from."""

    sha256: str
    path: str
    signer: str | None


def pieces(scan: contract.Inventory) -> list[tuple[contract.InventoryLine, ...]]:
    """The lines in pieces, the last of which goes to `finish_inventory`; at least one piece, perhaps empty."""
    lines = scan.lines
    return [lines[start : start + PIECE] for start in range(0, len(lines), PIECE)] or [()]


def take_lines(tx: Tx, host: Host, lines: tuple[contract.InventoryLine, ...], *, received: Micros) -> None:
    """Record some lines; those that are there already stay as they are."""
    for line in lines:
        tx.add(
            ListEntry(
                host.tenant,
                f"{INVENTORY}-{host.host_id}-{line.sha256}",
                "allow",
                ListKind.HASH,
                line.sha256,
                scope=f"host:{host.host_id}",
                author=INVENTORY,
                why=PROVEN if line.proven else line.package or "",
                created=received,
                confirmed=False,
                batch=INVENTORY,
                name=line.path,
            )
        )
    for tool in _tools(host.tenant, lines):
        tx.add(tool)


def finish_inventory(
    tx: Tx,
    host: Host,
    scan: contract.Inventory,
    lines: tuple[contract.InventoryLine, ...],
    *,
    received: Micros,
    policy: Policy,
) -> contract.Answer:
    """Record the last piece and the message itself."""
    fresh = heard(tx, host, scan, received=received, policy=policy)
    if fresh is None:
        return again(tx, host, scan, received=received)
    take_lines(tx, fresh, lines, received=received)
    return answer(tx, fresh, scan, received=received)


def _tools(tenant: TenantId, lines: tuple[contract.InventoryLine, ...]) -> list[Tool]:
    seen = [_Line(line.sha256, line.path, line.signer.name if line.signer else None) for line in lines]
    return list(roles.propose(seen, tenant=tenant).values())
