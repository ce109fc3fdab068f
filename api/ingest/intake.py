"""The door for evidence: authenticated, its own endpoint's, fresh; then one transaction; then the answer.

Guarantees: nothing is recorded of a message that fails a check, and each failure is a Problem with its reason, counted and told
(`refusals.py`). Nothing is acknowledged before it is durable. The order of checks: known endpoint, signature over the
exact octets, shape, speaks for itself, freshness. A message that is stale but was recorded before is answered again,
because its first answer may have been lost on the way.

This is the path on which a move waits: no framework between the body and the transaction.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec

from api.ingest import refusals
from api.ingest.body import decode
from api.ingest.heartbeat import take_heartbeat
from api.ingest.hosts import HostKeys, signed_by
from api.ingest.inventory import finish_inventory, pieces, take_lines
from api.ingest.report import again, take_report
from api.logs import logger
from api.metrics import Metrics
from api.problems import Problem
from health_agent import contract
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import Evidence, Host, HostId, Micros, TenantId
from radius_policy.store.interface import Reading, Store, StoreError, Tx

S = TypeVar("S", bound=contract.Signed)

_REPORT: Final = msgspec.json.Decoder(contract.Report)
_HEARTBEAT: Final = msgspec.json.Decoder(contract.Heartbeat)
_INVENTORY: Final = msgspec.json.Decoder(contract.Inventory)
_LONGEST_ID: Final = 64


class Intake:
    """Takes the signed messages of one tenant's endpoints. `clock` is the service's, in microseconds."""

    def __init__(
        self,
        store: Store,
        tenant: TenantId,
        policies: PolicyCache,
        metrics: Metrics,
        clock: Callable[[], Micros],
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._policies = policies
        self._metrics = metrics
        self._clock = clock
        self._refusals = refusals.Refusals()
        self.keys = HostKeys(store, tenant)

    async def report(self, host_id: str, signature: str, body: bytes, address: str) -> contract.Answer:
        """POST /v1/sightings. Raises Problem."""

        def take(tx: Tx, host: Host, report: contract.Report, received: Micros) -> contract.Answer:
            answer, decided = take_report(
                tx, host, report, received=received, policy=self._policies.current(tx, self._tenant, received)
            )
            decisions[:] = decided  # a work may be run again: the last run counts
            return answer

        decisions: list[Any] = []
        answer = await self._take("report", _REPORT, take, host_id, signature, body, address)
        for decision in decisions:
            self._metrics.executions.labels(str(decision.verdict.word)).inc()
            self._metrics.moves.inc(decision.moved)
            self._metrics.contained.inc(decision.contained)
        return answer

    async def heartbeat(self, host_id: str, signature: str, body: bytes, address: str) -> contract.Answer:
        """POST /v1/heartbeat. Raises Problem."""

        def take(tx: Tx, host: Host, beat: contract.Heartbeat, received: Micros) -> contract.Answer:
            return take_heartbeat(
                tx, host, beat, received=received, policy=self._policies.current(tx, self._tenant, received)
            )

        return await self._take("heartbeat", _HEARTBEAT, take, host_id, signature, body, address)

    async def inventory(self, host_id: str, signature: str, body: bytes, address: str) -> contract.Answer:
        """POST /v1/inventory. Raises Problem."""

        async def before(scan: contract.Inventory, received: Micros) -> None:
            for lines in pieces(scan)[:-1]:
                await self._store.write(functools.partial(piece, lines, received))

        def piece(lines: tuple[contract.InventoryLine, ...], received: Micros, tx: Tx) -> None:
            take_lines(tx, self._host(tx, host_id), lines, received=received)

        def take(tx: Tx, host: Host, scan: contract.Inventory, received: Micros) -> contract.Answer:
            policy = self._policies.current(tx, self._tenant, received)
            return finish_inventory(tx, host, scan, pieces(scan)[-1], received=received, policy=policy)

        return await self._take("inventory", _INVENTORY, take, host_id, signature, body, address, before)

    async def _take(
        self,
        kind: str,
        decoder: "msgspec.json.Decoder[S]",
        take: Callable[[Tx, Host, S, Micros], contract.Answer],
        host_id: str,
        signature: str,
        body: bytes,
        address: str,
        before: Callable[[S, Micros], Awaitable[None]] | None = None,
    ) -> contract.Answer:
        received = self._clock()
        try:
            await self._authenticate(host_id, signature, body)
            message = self._decode(decoder, body, host_id)
            if stale := self._skew(message, received):
                known = await self._store.read(functools.partial(self._known, message=message, received=received))
                if known is None:
                    raise stale
                self._metrics.repeated.labels(kind).inc()
                return known
            if before is not None:
                await before(message, received)
            answer = await self._store.write(lambda tx: take(tx, self._host(tx, host_id), message, received))
        except Problem as problem:
            await self._refused(host_id, problem, address, received)
            raise
        (self._metrics.repeated if answer.repeated else self._metrics.messages).labels(kind).inc()
        self._metrics.seconds.observe((self._clock() - received) / 1_000_000)
        return answer

    async def _authenticate(self, host_id: str, signature: str, body: bytes) -> None:
        if not host_id or not signature or len(host_id) > _LONGEST_ID:
            raise Problem(
                "bad-signature",
                f"a signed message carries the headers {contract.HOST_HEADER} and {contract.SIGNATURE_HEADER}",
            )
        key = await self.keys.key(host_id)
        if key is None:
            raise _unknown()
        if not signed_by(key, signature, body):
            raise Problem(
                "bad-signature",
                "the signature is not this endpoint's over this body; the body was changed on the way, or another key signed it",
            )

    @staticmethod
    def _decode(decoder: "msgspec.json.Decoder[S]", body: bytes, host_id: str) -> S:
        message = decode(decoder, body)
        if message.v != contract.VERSION:
            raise Problem(
                "malformed",
                f"this service speaks version {contract.VERSION} of the wire, the message is version {message.v}",
            )
        if message.host_id != host_id:
            raise Problem(
                "other-endpoint", "an endpoint speaks for itself alone: the body names another host_id than its key's"
            )
        return message

    @staticmethod
    def _skew(message: contract.Signed, received: Micros) -> Problem | None:
        off = received - (message.clock_us + message.offset_us)
        if abs(off) <= contract.FRESHNESS_US:
            return None
        seconds = round(abs(off) / 1_000_000)
        return Problem(
            "clock-skew",
            f"the message is {seconds} seconds {'old' if off > 0 else 'ahead'} by the service's clock, at most "
            f"{contract.FRESHNESS_US // 1_000_000} are taken: correct the clock, or sign anew with the offset that service_us shows",
            service_us=received,
        )

    def _known(self, tx: Reading, *, message: contract.Signed, received: Micros) -> contract.Answer | None:
        host = tx.get(Host, self._tenant, HostId(message.host_id))
        if host is None or tx.get(Evidence, self._tenant, host.host_id, message.id) is None:
            return None
        return again(tx, host, message, received=received)

    def _host(self, tx: Tx, host_id: str) -> Host:
        host = tx.get(Host, self._tenant, HostId(host_id))
        if host is None:
            raise _unknown()
        return host

    async def _refused(self, host_id: str, problem: Problem, address: str, now: Micros) -> None:
        self._metrics.refused.labels(problem.name).inc()
        claimed = host_id if len(host_id) <= _LONGEST_ID and host_id.isprintable() else ""
        count = self._refusals.note(claimed, problem.name, now)
        logger(__name__).warning("evidence_refused", reason=problem.name, host=claimed, address=address, told=count)
        if count is None:
            return
        try:
            await self._store.write(
                lambda tx: refusals.tell(tx, self._tenant, claimed, problem.name, problem.detail, address, count, now)
            )
        except StoreError as error:
            # The refusal itself stands, is counted and logged; only the event for people is lost, and that is told here.
            self._metrics.failures.labels("refusal-event").inc()
            logger(__name__).error("refusal_event_lost", reason=problem.name, error=str(error))


def _unknown() -> Problem:
    return Problem("unknown-host", "no endpoint of this id is enrolled; enrol again: pratique agent enrol")
