"""The policy as one value: settings, defaults, refusals, and the cache that notices changes."""

import pytest

from radius_policy.judgement.policy import LISTS, Modes, Policy, PolicyCache, checked, of_settings
from radius_policy.model import Access, Host, HostId, ListEntry, ListKind, Mode, Outcome, Setting
from tests.world import START, T, World, sha

PC = Host(T, HostId("pc"), "pc", site="berlin", groups=("lab", "office"))


def test_without_settings_nobody_is_moved_and_the_shipped_rules_hold() -> None:
    policy = of_settings(T, {})
    assert policy.mode_of(PC) is Mode.LEARN
    assert not policy.paused
    assert policy.rules.named("same-signer-new-version") is not None


def test_the_groups_mode_stands_before_the_sites_and_that_before_the_default() -> None:
    modes = Modes(Mode.LEARN, {"berlin": Mode.ENFORCE}, {"office": Mode.MONITOR})
    assert modes.of("berlin", ("office",)) is Mode.MONITOR
    assert modes.of("berlin", ()) is Mode.ENFORCE
    assert modes.of("paris", ()) is Mode.LEARN


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("mode", {"default": "on"}, "'on' is no mode"),
        ("breaker", {"fleet": {"hosts": 3}}, "fleet takes number"),
        ("choices", {"": {"compromised": "prison"}}, "'prison' is no access"),
        ("groups", {"tills": {"min_available": -1}}, "min_available of 'tills'"),
        ("unknown_network", {"default": "maybe"}, "default is on or off"),
        ("maintenance", {"windows": [{"start_us": 1}]}, "a window needs start_us and end_us"),
        ("timezone", {"name": "Mars/Base"}, "'Mars/Base' is neither"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_a_sentence(
    name: str, value: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        checked(name, value)


def test_one_switch_per_site_takes_the_network_from_unknown_programs() -> None:
    policy = of_settings(T, {"unknown_network": {"default": "off", "sites": {"paris": "on"}}})
    assert policy.unknown_at("berlin") == {Outcome.MOVE, Outcome.CUT}
    assert policy.unknown_at("paris") == {Outcome.MOVE}, "a site's own word goes before the default"
    policy = of_settings(T, {"unknown_network": {"default": "on", "sites": {"berlin": "off"}}})
    assert policy.unknown_at("berlin") == {Outcome.MOVE, Outcome.CUT}
    assert policy.unknown_at("paris") == {Outcome.MOVE}


def test_a_sites_choice_for_compromised_hosts() -> None:
    policy = of_settings(T, {"choices": {"berlin": {"compromised": "blocked"}}})
    assert policy.choices_of("berlin").compromised is Access.BLOCKED
    assert policy.choices_of("paris").compromised is Access.REMEDIATION


def test_a_maintenance_window_is_open_for_its_site_alone() -> None:
    policy = of_settings(T, {"maintenance": {"windows": [{"start_us": 10, "end_us": 20, "site": "berlin"}]}})
    assert policy.maintenance(PC, 10)
    assert not policy.maintenance(PC, 20)
    assert not policy.maintenance(Host(T, HostId("x"), "x", site="paris"), 15)


def test_an_unconfirmed_line_is_no_part_of_the_policy() -> None:
    world = World()
    world.put(ListEntry(T, "e", "allow", ListKind.HASH, sha("N"), confirmed=False))
    assert world.policy.entries == {}


def test_while_anything_is_denied_no_hash_is_plainly_allowed() -> None:
    allow = ListEntry(T, "a", "allow", ListKind.HASH, sha("N"))
    policy = Policy(T).with_entries([allow])
    assert policy.plainly_allows(sha("N"), START) == allow
    denied = policy.with_entries([ListEntry(T, "d", "deny", ListKind.SIGNER, "Evil")])
    assert denied.plainly_allows(sha("N"), START) is None
    assert denied.with_entries(removed=["d"]).plainly_allows(sha("N"), START) == allow


def test_the_cache_reads_again_when_a_setting_or_list_changed_and_not_otherwise() -> None:
    world = World("monitor")
    cache = PolicyCache()
    first = cache.current(world.store.reading(), T, START)
    world.host("pc")
    assert cache.current(world.store.reading(), T, START).lists is first.lists
    with world.store.transaction() as tx:
        tx.put(ListEntry(T, "e", "allow", ListKind.HASH, sha("N")))
        tx.note(T, "settings", LISTS)
    assert "e" in cache.current(world.store.reading(), T, START).entries
    with world.store.transaction() as tx:
        tx.put(Setting(T, "pause", {"on": True}, 1, "ann", START))
        tx.note(T, "settings", "pause")
    assert cache.current(world.store.reading(), T, START).paused
