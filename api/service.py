"""What the parts of the API process share: made once by `main.py`, found by requests as `app.state.service`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.auth.logins import Logins
from api.auth.throttle import Throttle
from api.config import Config
from api.feed import Feed
from api.metrics import Metrics
from radius_policy.doorbell import Doorbell
from radius_policy.model import Micros, TenantId
from radius_policy.policy import PolicyCache
from radius_policy.store.interface import Store

if TYPE_CHECKING:
    from api.ingest.intake import Intake


@dataclass(slots=True)
class Service:
    """`clock` gives the service's time in microseconds; `bells` are the sockets of the processes to be told."""

    config: Config
    store: Store
    clock: Callable[[], Micros]
    metrics: Metrics
    policies: PolicyCache
    feed: Feed
    logins: Logins
    intake: "Intake"
    doorbell: Doorbell
    bells: tuple[Path, ...]
    ca_pem: bytes
    fingerprint: str
    started: Micros
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def tenant(self) -> TenantId:
        return TenantId(self.config.service.tenant)

    def ring(self) -> None:
        """Something was written: tell the other processes and this one's listeners. Never raises, never waits."""
        for bell in self.bells:
            self.doorbell.ring(bell)
        self.feed.wake()
