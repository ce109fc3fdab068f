"""Worm or roll-out: the reading, its grounds, and that it never claims more than it has."""

from dataclasses import replace

import pytest

from radius_policy.judgement.suspicion import Spread, likelier, spread
from tests.world import MINUTE, World, sha

NOTHING = Spread(4, 1, "pc1", 0, 1, {}, {"none": 4}, {}, signed=False, proven=False, doublings_s=())
ROLL_OUT = replace(
    NOTHING, writers={"ccm.exe": 4}, roles={"deployment": 4}, places={r"c:\program files\app": 4}, signed=True
)
WORM = replace(
    NOTHING,
    writers={"services.exe": 2, "psexesvc.exe": 2},
    places={r"c:\windows": 2, r"c:\windows\temp": 2},
    doublings_s=(60.0, 118.0, 121.0),
)


@pytest.mark.parametrize(("found", "word"), [(ROLL_OUT, "roll-out"), (WORM, "worm")])
def test_the_likelier_reading_names_its_grounds(found: Spread, word: str) -> None:
    reading, grounds = likelier(found)
    assert reading == word
    assert len(grounds) >= 3


def test_grounds_that_balance_are_said_to_be_undecided() -> None:
    both = replace(NOTHING, places={r"c:\app": 4}, roles={"none": 4})
    assert likelier(both)[0] == "undecided"


def test_a_spread_tells_who_wrote_it_where_first_and_how_fast() -> None:
    world = World()
    drop = world.inventory(r"C:\Windows\System32\services.exe")
    for n, host in enumerate(world.hosts(8)):
        world.later(MINUTE * (n + 1))
        world.start(host, "W", rf"C:\Windows\{n:08x}.exe", parent=drop)
    found = spread(world.store.reading(), world.policy, sha("W"))
    assert (found.hosts, found.sites, found.first_host) == (8, 1, "pc001")
    assert found.writers == {drop.path: 8}
    assert len(found.doublings_s) == 3
