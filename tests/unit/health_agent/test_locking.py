"""One agent for one state directory."""

from pathlib import Path

from health_agent import locking


def test_a_state_is_held_by_one_until_it_lets_go(tmp_path: Path) -> None:
    assert not locking.is_held(tmp_path)
    first = locking.hold(tmp_path)
    assert first is not None
    assert locking.hold(tmp_path) is None
    assert locking.is_held(tmp_path)
    first.close()
    second = locking.hold(tmp_path)
    assert second is not None
    second.close()
