"""The snapshot: what RADIUS answers from, kept fresh, per tenant."""

import pytest

from radius_policy.model import Access, HostId, Mac, MacAccess, Mode, Nas, Setting, TenantId
from radius_policy.radius.snapshot import Delta, Rules, Snapshot, look, look_at_all
from radius_policy.store.memory import MemoryStore

ONE, TWO = TenantId(1), TenantId(2)
MAC = Mac("02:00:00:00:00:10")
ROW = MacAccess(ONE, MAC, HostId("h"), Access.REMEDIATION, 7)
SWITCH = Nas(ONE, "sw1", "10.0.0.1", b"secret")


def setting(name: str, value, tenant: TenantId = ONE) -> Setting:
    return Setting(tenant, name, value, 1, "admin", 0)


def filled(*settings: Setting) -> Snapshot:
    snapshot = Snapshot()
    snapshot.apply(
        Delta(
            5,
            {(ONE, MAC): ROW},
            {(ONE, "sw1"): SWITCH},
            {(entry.tenant, entry.name): entry for entry in settings},
            whole=True,
        )
    )
    return snapshot


def test_two_tenants_with_the_same_mac_and_switch_address_never_meet() -> None:
    snapshot = filled()
    other = Nas(TWO, "sw1", "10.0.0.1", b"other", listener="second")
    row = MacAccess(TWO, MAC, HostId("h2"), Access.PRODUCTION, 3)
    snapshot.apply(Delta(6, {(TWO, MAC): row}, {(TWO, "sw1"): other}))
    assert snapshot.find_nas("default", "10.0.0.1").nas == SWITCH
    assert snapshot.find_nas("second", "10.0.0.1").nas == other
    assert snapshot.find_nas("third", "10.0.0.1") is None
    assert snapshot.answer(ONE, MAC, "main").access is Access.REMEDIATION
    assert snapshot.answer(TWO, MAC, "main").access is Access.PRODUCTION


@pytest.mark.parametrize(
    ("settings", "access"),
    [
        ([], Access.PRODUCTION),
        ([setting("mode", {"default": "monitor"})], Access.PRODUCTION),
        ([setting("mode", {"default": "enforce"})], Access.GUEST),
        ([setting("mode", {"default": "enforce", "sites": {"main": "learn"}})], Access.PRODUCTION),
        ([setting("mode", {"default": "learn", "sites": {"main": "enforce"}})], Access.GUEST),
        ([setting("mode", {"default": "enforce"}), setting("pause", {"paused": True})], Access.PRODUCTION),
        ([setting("mode", {"default": "enforce"}), setting("unlisted", {"access": "blocked"})], Access.BLOCKED),
        (
            [setting("mode", {"default": "enforce"}), setting("unmonitored", {"unlisted": "production"})],
            Access.PRODUCTION,
        ),
    ],
)
def test_a_mac_that_no_endpoint_proved_gets_the_sites_choice_where_the_mode_enforces(settings, access) -> None:
    answer = filled(*settings).answer(ONE, Mac("02:00:00:00:00:99"), "main")
    assert (answer.access, answer.generation, answer.listed) == (access, 0, False)


def test_a_setting_that_makes_no_sense_leaves_the_one_before_and_is_named() -> None:
    snapshot = filled(setting("vlans", {"remediation": "99"}))
    for name, value, word in (
        ("vlans", {"guest": ""}, "no VLAN"),
        ("vlans", "66", "vlans"),
        ("mode", {"default": "enforced"}, "enforced"),
        ("unlisted", {"access": "prod"}, "prod"),
        ("session_timeout", {"guest": "soon"}, "soon"),
    ):
        applied = snapshot.apply(Delta(6, settings={(ONE, name): setting(name, value)}))
        assert any(word in complaint for complaint in applied.complaints), (name, applied)
        assert snapshot.rules(ONE).vlans["remediation"] == "99"
        snapshot.apply(Delta(7, settings={(ONE, name): None}))
        snapshot.apply(Delta(7, settings={(ONE, "vlans"): setting("vlans", {"remediation": "99"})}))


def test_a_switch_without_secret_is_named_and_not_served() -> None:
    snapshot = filled()
    bad = Nas(ONE, "sw2", "10.0.0.2", b"")
    applied = snapshot.apply(Delta(6, nas={(ONE, "sw2"): bad}))
    assert "sw2" in applied.complaints[0]
    assert snapshot.find_nas("default", "10.0.0.2") is None


def test_only_what_changed_is_told() -> None:
    snapshot = filled()
    assert snapshot.apply(Delta(6, {(ONE, MAC): ROW})).macs == ()
    newer = MacAccess(ONE, MAC, HostId("h"), Access.PRODUCTION, 8)
    assert snapshot.apply(Delta(7, {(ONE, MAC): newer})).macs == ((ONE, MAC),)
    assert snapshot.apply(Delta(8, {(ONE, MAC): None})).macs == ((ONE, MAC),)
    assert snapshot.mac(ONE, MAC) is None
    assert filled().apply(Delta(9, whole=True)).macs == ((ONE, MAC),), "what a whole look lacks is gone"


def test_a_removed_switch_is_unknown_from_then_on() -> None:
    snapshot = filled()
    snapshot.apply(Delta(6, nas={(ONE, "sw1"): None}))
    assert snapshot.find_nas("default", "10.0.0.1") is None
    assert snapshot.switches == 0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_it_follows_the_change_sequence() -> None:
    store = MemoryStore()

    def begin(tx) -> None:
        tx.put(ROW, SWITCH, setting("mode", {"default": "enforce"}))
        tx.note(ONE, "access", MAC)
        tx.note(ONE, "nas", "sw1")
        tx.note(ONE, "settings", "mode")
        tx.note(ONE, "settings", "breaker")
        tx.note(ONE, "order", "o1")

    await store.write(begin)
    delta = await store.read(lambda reading: look(reading, 0))
    assert delta.keys == ((ONE, "order", "o1"),)
    snapshot = Snapshot()
    snapshot.apply(delta)
    assert snapshot.sequence == 5
    assert snapshot.rules(ONE).mode("anywhere") is Mode.ENFORCE

    whole = Snapshot()
    whole.apply(await store.read(lambda reading: look_at_all(reading, [ONE])))
    assert whole.whole() == snapshot.whole()

    part = await store.read(lambda reading: look(reading, 0, limit=2))
    assert part.more
    assert part.sequence == 2


def test_what_it_holds_as_a_whole_makes_another_one_like_it() -> None:
    snapshot = filled(setting("vlans", {"remediation": "99"}))
    again = Snapshot()
    again.apply(snapshot.whole())
    assert again.sequence == 5
    assert again.answer(ONE, MAC, "main").generation == 7
    assert again.find_nas("default", "10.0.0.1").secret.octets == b"secret"
    assert again.rules(ONE).vlans["remediation"] == "99"


def test_a_delta_knows_whether_it_may_change_an_answer() -> None:
    assert not Delta(5, keys=((ONE, "order", "o1"),)).answers
    assert Delta(5, {(ONE, MAC): None}).answers
    assert Delta(5, whole=True).answers


def test_the_default_vlans_and_timeouts() -> None:
    rules = Rules({"session_timeout": {"remediation": 600}})
    assert rules.vlans == {"production": "10", "remediation": "66", "guest": "20"}
    assert rules.timeouts == {Access.REMEDIATION: 600}
    assert Access.BLOCKED not in rules.attributes
