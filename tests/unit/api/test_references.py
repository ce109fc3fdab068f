"""The attached sets of the running service: judged by when they are ready, told when they are lost."""

import asyncio
from pathlib import Path

import pytest

from api.admin import settings
from tests.unit.api.world import ADMIN, World, execution

SHA = "a" * 64


def attach(world: World, *rows: dict[str, object]) -> None:
    value = {"sets": list(rows)}
    world.write(lambda tx: settings.change_setting(tx, ADMIN, "reference_sets", value, now=world.now))
    world.run(world.service.references.follow())


def known(folder: Path, *shas: str) -> Path:
    file = folder / "known.txt"
    file.write_text("\n".join(shas) + "\n")
    return file


def verdict(world: World) -> tuple[str, str]:
    [said] = world.agent().tell(execution(world, SHA)).verdicts
    return said.verdict, said.reason


def test_what_an_attached_set_knows_and_may_allow_is_allowed_from_then_on(world: World, tmp_path: Path) -> None:
    assert verdict(world)[0] == "unknown"
    attach(world, {"name": "golden", "path": str(known(tmp_path, SHA)), "allows": True})
    word, reason = verdict(world)
    assert word == "allowed"
    assert "golden" in reason
    attach(world)
    assert verdict(world)[0] == "unknown", "a set that is detached allows nothing any more"


def test_known_is_not_good_unless_the_setting_says_so(world: World, tmp_path: Path) -> None:
    attach(world, {"name": "nsrl", "path": str(known(tmp_path, SHA))})
    assert verdict(world)[0] == "unknown"


def test_a_lost_set_is_named_and_judging_goes_on_with_the_others(world: World, tmp_path: Path) -> None:
    good = {"name": "golden", "path": str(known(tmp_path, SHA)), "allows": True}
    attach(world, good, {"name": "lost", "path": str(tmp_path / "lost.txt"), "allows": True})
    assert list(world.service.references.broken) == ["lost"]
    assert verdict(world)[0] == "allowed"


def test_a_changed_setting_is_followed_at_once(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, followed, real = known(tmp_path, SHA), asyncio.Event(), world.service.policies.attach
    monkeypatch.setattr(world.service.policies, "attach", lambda sets: (real(sets), followed.set()))

    async def story() -> None:
        changed = asyncio.Event()
        watching = asyncio.create_task(world.service.references.watch(changed))
        value = {"sets": [{"name": "golden", "path": str(file), "allows": True}]}
        await world.store.write(lambda tx: settings.change_setting(tx, ADMIN, "reference_sets", value, now=world.now))
        changed.set()
        await followed.wait()
        watching.cancel()

    world.run(asyncio.wait_for(story(), 10))
    assert verdict(world)[0] == "allowed"


def test_a_setting_written_past_its_check_leaves_what_is_attached(world: World, tmp_path: Path) -> None:
    attach(world, {"name": "golden", "path": str(known(tmp_path, SHA)), "allows": True})
    from radius_policy.model import Setting

    world.write(lambda tx: tx.put(Setting(1, "reference_sets", {"sets": ["nonsense"]}, 9, "somebody", world.now)))
    world.run(world.service.references.follow())
    assert verdict(world)[0] == "allowed"
