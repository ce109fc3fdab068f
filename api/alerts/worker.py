"""The shell that keeps alerts going: reads new events, sends what is due, writes what came of it.

Guarantees: an event is routed in one transaction with the cursor, and a message counts as sent only after its
channel took it *and* that is on disk: kill -9 at any moment loses nothing and repeats at most the messages then on
their way, with the same id. A channel that is down is asked again with growing pauses; while it is, messages that have
another channel take it at once. A failure of ours ends neither the worker nor other channels: it is logged and counted.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Counter, Gauge

from api.alerts import digest_outbox, escalation, joining, outbox
from api.alerts.channels import Channel, ChannelDown, ChannelRefused
from api.alerts.content import Alert, gather
from api.alerts.links import Links, key_in
from api.alerts.settings import SETTING, AlertSettings, BadSettings, channels, parse, reachable, usable
from api.config import Mail, Service, Site
from api.logs import logger
from radius_policy import zones
from radius_policy.model import SECOND, Delivery, Event, EventKind, Micros, Setting, Severity, TenantId
from radius_policy.store.interface import Reading, Store, StoreError, Tx

POLL_S = 0.25
SEND_TIMEOUT_S = 60.0
DIGESTS_EVERY: Micros = 60 * SECOND
_log = logger("alerts")


class AlertConfig(Protocol):
    """What the worker reads of the configuration (api/config.py)."""

    @property
    def service(self) -> Service: ...
    @property
    def mail(self) -> Mail: ...
    @property
    def site(self) -> Site: ...
    @property
    def url(self) -> str: ...


class Figures:
    """Counters of the alert worker."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.sent = Counter("pratique_alerts_sent", "Messages a channel took", ["channel"], registry=registry)
        self.failed = Counter("pratique_alerts_failed", "Sendings that failed", ["channel", "why"], registry=registry)
        self.given_up = Counter("pratique_alerts_given_up", "Messages no channel took in 7 days", registry=registry)
        self.unrouted = Counter("pratique_alerts_unrouted", "Events for people that no route took", registry=registry)
        self.repeats = Counter(
            "pratique_alerts_repeats", "Events that only repeated one told before", registry=registry
        )
        self.escalated = Counter(
            "pratique_alerts_escalated", "Messages to the next person, after nobody acknowledged", registry=registry
        )
        self.errors = Counter("pratique_alerts_store_errors", "Rounds that the store ended", registry=registry)
        self.waiting = Gauge("pratique_alerts_waiting", "Messages not yet taken by a channel", registry=registry)
        self.down = Gauge("pratique_alerts_channel_down", "1 while a channel fails", ["channel"], registry=registry)


@dataclass(slots=True)
class Health:
    """How one channel is doing: failures in a row, what it said last, when it is asked again."""

    failures: int = 0
    error: str = ""
    retry_at: Micros = 0


async def run(
    store: Store,
    config: AlertConfig,
    clock: Callable[[], Micros],
    stop: asyncio.Event,
    *,
    registry: CollectorRegistry | None = None,
    wake: asyncio.Event | None = None,
) -> None:
    """Until `stop` is set. `clock` gives Micros; `wake`, if given, is set by whoever knows that there is something new."""
    worker = Worker(store, config, clock, Figures(registry))
    while not stop.is_set():
        try:
            more = await worker.round()
        except StoreError as error:
            worker.figures.errors.inc()
            _log.error("alerts wait for the store", reason=str(error))
            more = False
        if not more:
            await _pause(stop, wake, worker.rest)


async def _pause(stop: asyncio.Event, wake: asyncio.Event | None, seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, wake) if event]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if wake:
        wake.clear()


class Worker:
    """One tenant's alerts. `round` is one look at the store; everything that must survive stands there, not here."""

    def __init__(
        self,
        store: Store,
        config: AlertConfig,
        clock: Callable[[], Micros],
        figures: Figures,
        made: Mapping[str, Channel] | None = None,
    ) -> None:
        self.figures = figures
        self._store = store
        self._config = config
        self._clock = clock
        self._tenant = TenantId(config.service.tenant)
        self._links = Links(config.url, key_in(config.service.data))
        self._fixed = made
        self._version = -1
        self._settings = AlertSettings()
        self._channels: Mapping[str, Channel] = {}
        self._health: dict[str, Health] = {}
        self._looked = 0
        self._digests_at: Micros = 0
        self._next: Micros = 0

    @property
    def rest(self) -> float:
        """Seconds to sleep when nothing is to be done at once: to the moment when the next message is due, or a poll."""
        left = (self._next - self._clock()) / SECOND
        return min(left, POLL_S) if left > 0 else POLL_S

    async def round(self) -> bool:
        """Route what is new, send what is due. True when there is more to do at once."""
        (new, self._looked), setting, zone = await self._store.read(self._look)
        self._configure(setting)
        more = False
        if new:
            routed = await self._route(zone)
            self.figures.unrouted.inc(routed.unrouted)
            self.figures.repeats.inc(routed.repeats)
            more = routed.more
        await self._escalate()
        await self._digests(zone)
        moved = await asyncio.gather(*(self._serve(name, zone) for name in self._channels))
        more = await self._redirect_astray() or more or any(moved)
        if not more:
            self._next = await self._store.read(lambda reading: outbox.next_due(reading, self._tenant, self._clock()))
        return more

    def _look(self, reading: Reading) -> tuple[tuple[bool, int], Setting | None, ZoneInfo]:
        named = reading.get(Setting, self._tenant, "timezone")
        zone = str(named.value.get("name") or self._config.site.timezone) if named else self._config.site.timezone
        self.figures.waiting.set(reading.count(Delivery, tenant=self._tenant, state="waiting"))
        return (
            outbox.news(reading, self._tenant, self._looked),
            reading.get(Setting, self._tenant, SETTING),
            zones.zone(zone),
        )

    def _configure(self, setting: Setting | None) -> None:
        version = setting.version if setting else 0
        if version == self._version:
            return
        self._version = version
        try:
            self._settings = parse(setting.value if setting else None)
        except BadSettings as error:
            _log.error("alerts keep their former routes", reason=str(error))
        self._channels = self._fixed if self._fixed is not None else channels(self._settings, self._config.mail)
        if not usable(self._settings.routes, self._channels):
            _log.warning("alerts reach nobody", reason="no route has a channel; set [mail] server and to")

    async def _route(self, zone: ZoneInfo) -> outbox.Routed:
        now, looked = self._clock(), self._looked
        plan = outbox.Plan(usable(self._settings.routes, self._channels), self._settings.hours, zone)
        return await self._store.write(lambda tx: outbox.route_new(tx, self._tenant, plan, now, looked=looked))

    async def _escalate(self) -> None:
        """Tell the next person of urgent alerts that nobody has acknowledged in time."""
        now = self._clock()
        if not await self._store.read(lambda reading: escalation.due(reading, self._tenant, now)):
            return
        routes = usable(self._settings.routes, self._channels)
        people = reachable(self._settings.people, self._channels)
        did = await self._store.write(lambda tx: escalation.step(tx, self._tenant, routes, people, now))
        self.figures.escalated.inc(did.messages)

    async def _digests(self, zone: ZoneInfo) -> None:
        """Put the digests whose time has come into the outbox; looked at once a minute."""
        now, wanted, known = self._clock(), self._settings.digest, tuple(self._channels)
        if now < self._digests_at:
            return
        self._digests_at = now + DIGESTS_EVERY
        if await self._store.read(lambda reading: digest_outbox.due(reading, self._tenant, wanted, now, zone)):
            await self._store.write(lambda tx: digest_outbox.put(tx, self._tenant, wanted, known, now, zone))

    async def _serve(self, name: str, zone: ZoneInfo) -> bool:
        """Send what is due on one channel, one after the other; True when a message got further."""
        health = self._health.setdefault(name, Health())
        now = self._clock()
        waiting = await self._store.read(lambda reading: outbox.due(reading, self._tenant, name, now))
        moved = False
        for delivery in waiting:
            if health.failures and self._clock() < health.retry_at:
                if health.failures >= joining.FALL_OVER_AFTER and len(delivery.chain) > 1:
                    moved = await self._failed(delivery, health.error, permanent=True) or moved
                continue
            moved = await self._send(name, delivery, zone, health) or moved
        return moved

    async def _send(self, name: str, delivery: Delivery, zone: ZoneInfo, health: Health) -> bool:
        """True when the message got further: to its channel, or to the next one."""
        now = self._clock()
        try:
            alert = await self._store.read(lambda reading: self._gather(reading, delivery, zone, now))
            note = needless = self._needless(delivery, alert)
            if not needless:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    note = await self._channels[name].send(alert)
        except StoreError:
            raise
        except ChannelRefused as error:
            self.figures.failed.labels(name, "refused").inc()
            moved = await self._failed(delivery, str(error), permanent=True)
            await self._note_down(name, health, str(error))
        except (ChannelDown, TimeoutError) as error:
            self.figures.failed.labels(name, "down").inc()
            reason = str(error) or f"no answer in {SEND_TIMEOUT_S:.0f} seconds"
            known_down = health.failures + 1 >= joining.FALL_OVER_AFTER
            moved = await self._failed(delivery, reason, permanent=known_down)
            await self._note_down(name, health, reason)
        except Exception as error:  # a defect of ours in one message must not silence all the others
            self.figures.failed.labels(name, "defect").inc()
            _log.exception("an alert could not be made or sent", channel=name, delivery=delivery.id)
            moved = await self._failed(delivery, f"defect: {type(error).__name__}: {error}", permanent=True)
        else:
            at = self._clock()
            await self._store.write(lambda tx: outbox.sent(tx, delivery, at, note))
            if not needless:
                self.figures.sent.labels(name).inc()
                await self._note_up(name, health)
            moved = True
        return moved

    def _gather(self, reading: Reading, delivery: Delivery, zone: ZoneInfo, now: Micros) -> Alert:
        if delivery.kind == digest_outbox.KIND:
            return digest_outbox.alert(reading, delivery, zone, self._links)
        events = outbox.events_of(reading, delivery)
        topic = joining.thread(delivery, events)
        return gather(
            reading,
            delivery,
            events,
            conversation=joining.conversation(self._tenant, escalation.base(delivery.route), topic),
            zone=zone,
            links=self._links,
            now=now,
        )

    def _needless(self, delivery: Delivery, alert: Alert) -> str:
        """Why a message need not be sent any more; mostly empty."""
        if digest_outbox.says_nothing(alert, self._settings.digest):
            return "not sent: there is nothing to say"
        if escalation.PERSON in delivery.route and not alert.unanswered:
            return "not sent: it was acknowledged or decided meanwhile"
        return ""

    async def _failed(self, delivery: Delivery, error: str, *, permanent: bool = False) -> bool:
        """Write down that a message was not taken; True when another channel is to try it now."""
        after = joining.after_failure(delivery, error[:500], self._clock(), permanent=permanent)
        if after.state == "given_up":
            self.figures.given_up.inc()
            _log.error("an alert was given up", delivery=delivery.id, topic=delivery.topic, reason=error)
        await self._store.write(lambda tx: tx.put(after))
        return after.channel != delivery.channel and after.not_before <= self._clock()

    async def _note_down(self, name: str, health: Health, reason: str) -> None:
        health.failures += 1
        health.error = reason
        wait = joining.RETRY_S[min(health.failures, len(joining.RETRY_S)) - 1]
        health.retry_at = self._clock() + wait * SECOND
        self.figures.down.labels(name).set(1)
        _log.warning("an alert channel fails", channel=name, reason=reason, failures=health.failures, retry_s=wait)
        if health.failures == 1:
            await self._tell(EventKind.CHANNEL_FAILED, name, f"The alert channel {name} fails: {reason}")

    async def _note_up(self, name: str, health: Health) -> None:
        if not health.failures:
            return
        health.failures, health.error, health.retry_at = 0, "", 0
        self.figures.down.labels(name).set(0)
        _log.info("an alert channel is back", channel=name)
        await self._tell(EventKind.CHANNEL_BACK, name, f"The alert channel {name} is back; what waited is being sent.")

    async def _tell(self, kind: EventKind, name: str, text: str) -> None:
        now = self._clock()
        event = Event(
            self._tenant,
            f"{kind}-{name}-{now}",
            now,
            kind,
            Severity.INFO,
            f"channel:{name}",
            text,
            facts={"channel": name},
        )

        def work(tx: Tx) -> None:
            tx.put(event)
            tx.note(self._tenant, "event", event.id)

        await self._store.write(work)

    async def _redirect_astray(self) -> bool:
        """Messages for a channel that is no longer configured take the next one of their chain; whether there are any."""
        now, known = self._clock(), self._channels
        moved = False
        for delivery in await self._store.read(lambda r: outbox.astray(r, self._tenant, known, now)):
            reason = "no such channel is configured any more"
            moved = await self._failed(delivery, reason, permanent=True) or moved
        return moved
