"""What people read of a move."""

from radius_policy.enforcement.core import Tell
from radius_policy.enforcement.telling import event_of
from radius_policy.model import (
    Access,
    EventKind,
    Host,
    HostId,
    Mac,
    Nas,
    Order,
    OrderState,
    Session,
    Severity,
    TenantId,
)
from radius_policy.store.memory import MemoryStore

TENANT, MAC = TenantId(1), Mac("02:00:00:00:00:10")
ORDER = Order(
    TENANT,
    "o1",
    HostId("h1"),
    MAC,
    Access.REMEDIATION,
    7,
    OrderState.CONFIRMED,
    1_000,
    1_000,
    nas_id="sw1",
    session=b"1",
)
TELL = Tell(EventKind.MOVE_CONFIRMED, Severity.INFO, "the move is confirmed")


def test_it_names_host_switch_and_port_and_how_long_it_took() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put(Host(TENANT, HostId("h1"), "pc10", site="north"), Session(TENANT, "sw1", b"1", MAC, port="Gi1/0/7"))
    nas = Nas(TENANT, "sw1", "10.0.0.1", b"s", name="Hall 3")
    event = event_of(TELL, ORDER, store.reading(), nas, "e1", at=13_500)
    assert event.text == "pc10 (02:00:00:00:00:10) on Hall 3 port Gi1/0/7, remediation: the move is confirmed (12 ms)"
    assert (event.topic, event.site, event.facts["ms"], event.facts["nas"]) == ("host:h1", "north", 12, "sw1")


def test_what_is_not_known_is_left_out() -> None:
    event = event_of(TELL, ORDER, MemoryStore().reading(), None, "e1", at=1_000)
    assert event.text == "h1 (02:00:00:00:00:10) on sw1, remediation: the move is confirmed (0 ms)"
    assert event.site == ""
