"""One report from beginning to end before the first real one, then undone.

Why: the first judgement imports its parts and the first use of a record makes its converters: together some 100 ms,
which the first unknown program of the day would have as a head start. Nothing of it stays: the transaction is given up.
"""

from dataclasses import replace
from typing import Final

from api.admin import lists
from api.auth.roles import local
from api.ingest.enrol import bind
from api.ingest.report import take_report
from api.start import Undone
from health_agent import contract
from radius_policy import judgement
from radius_policy.judgement.policy import Modes, Policy
from radius_policy.model import Host, HostId, Mac, Micros, Mode, Session, TenantId
from radius_policy.store.interface import Tx

_HOST: Final = HostId("rehearsal")
_MAC: Final = Mac("02:00:00:00:00:00")
_SHA: Final = "0" * 64


def rehearse(tx: Tx, tenant: TenantId, *, now: Micros, policy: Policy) -> None:
    """An unknown program on a connected host, its end, and an admin's word on it. Always raises Undone."""
    policy = replace(policy, modes=Modes(Mode.ENFORCE), paused=False)
    host = Host(tenant, _HOST, "rehearsal", public_key=bytes(32), last_evidence=now, enrolled_at=now)
    tx.put(host, Session(tenant, "rehearsal", b"rehearsal", _MAC, started=now, updated=now))
    bind(tx, host, (_MAC,), now=now)
    judgement.refresh(tx, tenant, _HOST, now=now, policy=policy)
    start = contract.Execution("rehearsal", "/rehearsal", 1, now, sha256=_SHA, parents=(contract.Program("/bin/sh"),))
    for number in range(2):  # the second message meets what the first one left
        report = contract.Report(
            host_id=_HOST,
            id=f"rehearsal-{number}",
            clock_us=now,
            executions=(start,),
            ends=(contract.End("rehearsal", now),),
        )
        take_report(tx, tx.get(Host, tenant, _HOST) or host, report, received=now, policy=policy)
    decided = lists.add_entry(tx, local("rehearsal", tenant), lists.Wish("allow", _SHA), now=now, policy=policy)
    judgement.recompute(tx, tenant, decided.touched.executables, now=now, policy=decided.touched.policy)
    raise Undone
