"""Where a host was on the network at a time, as the switches told it."""

from api.reports.fleet import Place, places
from radius_policy.model import HostId, Mac, MacBinding, Nas, Session, TenantId
from radius_policy.store.memory import MemoryStore

TENANT = TenantId(1)
ANNA, DOCK, LAPTOP = HostId("anna"), Mac("02:00:00:00:00:01"), Mac("02:00:00:00:00:02")


def store(*records: object) -> MemoryStore:
    made = MemoryStore()
    with made.transaction() as tx:
        tx.put(Nas(TENANT, "sw-1", "192.0.2.1", b"secret", name="floor 1"), Nas(TENANT, "sw-2", "192.0.2.2", b"secret"))
        tx.put(MacBinding(TENANT, DOCK, ANNA, 1, 5), MacBinding(TENANT, LAPTOP, ANNA, 1, 9), *records)
    return made


def session(nas: str, mac: Mac, port: str, started: int, ended: int | None = None) -> Session:
    return Session(TENANT, nas, f"{nas}-{started}".encode(), mac, port=port, started=started, ended=ended)


def at(made: MemoryStore, moment: int) -> Place:
    return places(made.reading(), TENANT, {ANNA: moment})[ANNA]


def test_the_session_of_that_time_says_where() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert at(made, 150) == Place(DOCK, "floor 1", "Gi1/0/1")
    assert at(made, 400) == Place(LAPTOP, "sw-2", "Gi1/0/2"), "a switch without a name is told by its id"


def test_between_sessions_it_is_where_it_was_last() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert at(made, 250) == Place(DOCK, "floor 1", "Gi1/0/1")


def test_before_all_sessions_the_first_one_is_the_best_guess() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert at(made, 50) == Place(DOCK, "floor 1", "Gi1/0/1")


def test_without_sessions_the_address_that_was_proved_last_is_known() -> None:
    assert at(store(), 50) == Place(LAPTOP)
    assert places(MemoryStore().reading(), TENANT, {ANNA: 1})[ANNA] == Place()
