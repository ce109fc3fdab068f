"""What the parts of the API process share: made once by `main.py`, found by requests as `app.state.service`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.admin.deeds import Desk
from api.auth.logins import Logins
from api.auth.throttle import Throttle
from api.config import Config
from api.feed import Feed
from api.metrics import Metrics
from api.references import References
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import Micros, TenantId
from radius_policy.store.doorbell import Doorbell
from radius_policy.store.interface import Store

if TYPE_CHECKING:
    from starlette.requests import Request


def service_of(request: "Request") -> "Service":
    """The running service that a request came to."""
    service: Service = request.app.state.service
    return service


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
    references: References
    doorbell: Doorbell
    bells: tuple[Path, ...]
    ca_pem: bytes
    fingerprint: str
    started: Micros
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def tenant(self) -> TenantId:
        return TenantId(self.config.service.tenant)

    @property
    def desk(self) -> Desk:
        """What a deed needs."""
        return Desk(self.store, lambda: self.policies, self.clock, self.ring)

    def ring(self) -> None:
        """Something was written: tell the other processes and this one's listeners. Never raises, never waits."""
        for bell in self.bells:
            self.doorbell.ring(bell)
        self.feed.wake()
