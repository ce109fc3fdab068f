"""Heartbeats: the host is there, how well it is, which addresses it has, where it is plugged in, what it carried out and what it refused."""

from dataclasses import replace

from api.ingest import neighbours, orders
from api.ingest.enrol import bind
from api.ingest.report import again, answer, heard, operation
from health_agent import contract
from radius_policy import judgement
from radius_policy.judgement.policy import Policy
from radius_policy.model import Host, Micros
from radius_policy.store.interface import Tx


def take_heartbeat(
    tx: Tx, host: Host, beat: contract.Heartbeat, *, received: Micros, policy: Policy
) -> contract.Answer:
    """Record it. New MACs are bound to the host, and the access of these MACs is worked out anew."""
    fresh = heard(tx, host, beat, received=received, policy=policy)
    if fresh is None:
        return again(tx, host, beat, received=received)
    host = replace(
        fresh, agent_version=beat.agent_version, sensor=str(beat.sensor), operation=operation(beat.operation)
    )
    if host != fresh:
        tx.put(host)
    orders.done(tx, host.tenant, host.host_id, beat.ack_orders)
    orders.refused(tx, host, beat.refused_orders, now=received)
    if bind(tx, host, beat.macs, now=received):
        judgement.refresh(tx, host.tenant, host.host_id, now=received, policy=policy)
    neighbours.take(tx, host, beat.neighbours, received=received)
    return answer(tx, host, beat, received=received)
