"""Digests on their way: put into the outbox when their time has come, made when they are sent.

Guarantees: a digest and the cursor behind it commit together, so whatever stops the service, each is sent once (but for
one whose sending was interrupted: at least once, with the same Message-ID), and the periods follow each other without
gap or overlap. Its content is read when it is sent, with the same retries and channels as any other message.
"""

import hashlib
from collections.abc import Collection
from zoneinfo import ZoneInfo

from api.alerts import digest, periods
from api.alerts.content import Alert
from api.alerts.links import Links
from api.alerts.periods import Digests, Period
from radius_policy.model import Cursor, Delivery, Micros, Severity, TenantId
from radius_policy.store.interface import Reading, Tx

KIND = "digest"


def due(reading: Reading, tenant: TenantId, wanted: Digests, now: Micros, zone: ZoneInfo) -> bool:
    """Whether a digest is to be put into the outbox, or the first look is to be remembered."""
    return any(
        (told := _told_until(reading, tenant, name)) is None or periods.due(spec, told, now, zone)
        for name, spec in wanted.all().items()
    )


def put(
    tx: Tx, tenant: TenantId, wanted: Digests, known: Collection[str], now: Micros, zone: ZoneInfo
) -> list[Delivery]:
    """Put what is due into the outbox. `known` are the channels there are; a digest without any is in the console alone."""
    made = []
    for name, spec in wanted.all().items():
        told = _told_until(tx, tenant, name)
        period = periods.due(spec, told, now, zone)
        end = period.end if period else periods.latest_end(spec, now, zone)
        if told is None or period:
            tx.put(Cursor(tenant, _cursor(name), end))
        chain = tuple(channel for channel in spec.channels if channel in known)
        if period and chain:
            delivery = _delivery(tenant, name, period, chain, now)
            tx.put(delivery)
            made.append(delivery)
    return made


def alert(reading: Reading, delivery: Delivery, zone: ZoneInfo, links: Links) -> Alert:
    """The message of a digest, from the store as it is now."""
    _, name, begin, end = delivery.topic.split(":")
    period = Period(int(begin), int(end))
    found = digest.read(reading, delivery.tenant, name, period, zone)
    return Alert(
        message_id=delivery.id,
        conversation=_digest("conversation", str(delivery.tenant), name),
        number=delivery.number,
        update=False,
        severity=Severity.INFO,
        kind=KIND,
        title=f"{name.capitalize()} digest",
        topic=delivery.topic,
        at=delivery.created,
        texts=(found.summary,),
        failed=delivery.failed,
        zone=zone,
        console=links.page(""),
        digest=found,
    )


def says_nothing(alert: Alert, wanted: Digests) -> bool:
    """Whether it is not worth sending: nothing happened, and the setting asks for no empty one."""
    found = alert.digest
    spec = {name: spec for name, spec in wanted.all().items() if found and name == found.name}
    return bool(found and found.empty) and not any(each.empty for each in spec.values())


def _delivery(tenant: TenantId, name: str, period: Period, chain: tuple[str, ...], now: Micros) -> Delivery:
    topic = f"{KIND}:{name}:{period.begin}:{period.end}"
    return Delivery(
        tenant,
        _digest("digest", str(tenant), topic),
        "",
        chain[0],
        "waiting",
        now,
        now,
        route=KIND,
        topic=topic,
        kind=KIND,
        opened=now,
        chain=chain,
    )


def _told_until(reading: Reading, tenant: TenantId, name: str) -> Micros | None:
    cursor = reading.get(Cursor, tenant, _cursor(name))
    return cursor.sequence if cursor else None


def _cursor(name: str) -> str:
    return f"{KIND}:{name}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
