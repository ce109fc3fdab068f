"""Where a host was on the network at a time: accounting first, else what a switch told the endpoint or a script found."""

from api.whereabouts import HOLDS, Place, place, places
from radius_policy.model import SECOND, HostId, Mac, MacBinding, Nas, Neighbour, Session, TenantId
from radius_policy.store.memory import MemoryStore

TENANT = TenantId(1)
ANNA, DOCK, LAPTOP = HostId("anna"), Mac("02:00:00:00:00:01"), Mac("02:00:00:00:00:02")
HOUR = 3600 * SECOND


def store(*records: object) -> MemoryStore:
    made = MemoryStore()
    with made.transaction() as tx:
        tx.put(Nas(TENANT, "sw-1", "192.0.2.1", b"secret", name="floor 1"), Nas(TENANT, "sw-2", "192.0.2.2", b"secret"))
        tx.put(MacBinding(TENANT, DOCK, ANNA, 1, 5), MacBinding(TENANT, LAPTOP, ANNA, 1, 9), *records)
    return made


def session(nas: str, mac: Mac, port: str, started: int, ended: int | None = None) -> Session:
    return Session(TENANT, nas, f"{nas}-{started}".encode(), mac, port=port, started=started, ended=ended)


def stay(
    switch: str, port: str, since: int, at: int, source: str = "lldp", mac: Mac = DOCK, address: str = ""
) -> Neighbour:
    return Neighbour(TENANT, ANNA, mac, source, since, at, switch, port, address=address)


def at(made: MemoryStore, moment: int | None = None) -> Place:
    return places(made.reading(), TENANT, {ANNA: moment})[ANNA]


def short(found: Place) -> tuple[str, str, str]:
    return found.switch, found.port, found.source


def test_the_session_of_that_time_says_where() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert at(made, 150) == Place(DOCK, "sw-1", "floor 1", "192.0.2.1", "Gi1/0/1", "accounting", 200)
    later = Place(LAPTOP, "sw-2", "sw-2", "192.0.2.2", "Gi1/0/2", "accounting", 300, open=True)
    assert at(made, 400) == later, "a switch without a name is told by its id"
    assert place(made.reading(), TENANT, ANNA) == later


def test_between_sessions_it_is_where_it_was_last() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert short(at(made, 250)) == ("floor 1", "Gi1/0/1", "accounting")


def test_before_all_sessions_the_first_one_is_the_best_guess() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), session("sw-2", LAPTOP, "Gi1/0/2", 300))
    assert short(at(made, 50)) == ("floor 1", "Gi1/0/1", "accounting")


def test_without_sessions_the_address_that_was_proved_last_is_known() -> None:
    assert at(store(), 50) == Place(LAPTOP)
    assert places(MemoryStore().reading(), TENANT, {ANNA: 1})[ANNA] == Place()


def test_where_accounting_knows_nothing_the_switch_told_the_endpoint() -> None:
    made = store(stay("SW-2.example.org", "Gi1/0/7", 100, 200))
    assert at(made) == Place(DOCK, "sw-2", "sw-2", "192.0.2.2", "Gi1/0/7", "lldp", 200)
    assert short(at(store(stay("stranger", "7", 1, 2)))) == ("stranger", "7", "lldp")
    by_address = store(stay("02:00:00:00:01:00", "7", 1, 2, address="192.0.2.1"))
    assert short(at(by_address)) == ("floor 1", "7", "lldp")


def test_an_open_session_goes_before_what_anybody_else_says() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100), stay("sw-2", "Gi1/0/7", 300, 400))
    assert short(at(made)) == short(at(made, 350)) == ("floor 1", "Gi1/0/1", "accounting")


def test_a_session_that_ended_goes_behind_what_was_heard_since() -> None:
    made = store(session("sw-1", DOCK, "Gi1/0/1", 100, 200), stay("sw-2", "Gi1/0/7", HOUR, 2 * HOUR))
    assert short(at(made)) == ("sw-2", "Gi1/0/7", "lldp")
    assert short(at(made, 150)) == ("floor 1", "Gi1/0/1", "accounting"), "but not for the time of the session"
    older = store(session("sw-1", DOCK, "Gi1/0/1", HOUR, 2 * HOUR), stay("sw-2", "Gi1/0/7", 100, 200))
    assert short(at(older)) == ("floor 1", "Gi1/0/1", "accounting")


def test_a_report_of_the_past_names_the_stay_of_that_time() -> None:
    made = store(stay("sw-1", "Gi1/0/1", HOUR, 2 * HOUR), stay("sw-2", "Gi1/0/2", 3 * HOUR, 9 * HOUR))
    assert short(at(made, 2 * HOUR + HOLDS - 1)) == ("floor 1", "Gi1/0/1", "lldp")
    assert short(at(made, 3 * HOUR)) == ("sw-2", "Gi1/0/2", "lldp")
    assert short(at(made, 20 * HOUR)) == ("sw-2", "Gi1/0/2", "lldp")
    assert short(at(made, 1)) == ("floor 1", "Gi1/0/1", "lldp"), "before all of them the first is the best guess"


def test_of_two_that_were_heard_at_the_same_time_lldp_is_believed() -> None:
    made = store(stay("sw-1", "Gi1/0/1", 1, 9, "cdp"), stay("sw-2", "Gi1/0/1", 1, 9))
    assert short(at(made)) == ("sw-2", "Gi1/0/1", "lldp")
