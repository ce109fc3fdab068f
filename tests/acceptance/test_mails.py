"""How loud a week is: few mails at once on quiet days, and none of the unknowns that nobody decided is left unsaid."""

from pathlib import Path

import pytest

from benchmarks.histories import generate
from benchmarks.mails import LIMIT, Week, play

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def week(folder: Path, mode: str, *, seed: int, hosts: int, days: int) -> Week:
    return play(generate(folder / "week", mode, seed=seed, hosts=hosts, days=days, baseline_per_host=3))


@pytest.mark.parametrize(("seed", "days"), [(1, 5), (2, 2)])
def test_a_quiet_week_of_1500_hosts_mails_little_and_hides_nothing(tmp_path: Path, seed: int, days: int) -> None:
    found = week(tmp_path, "quiet", seed=seed, hosts=1500, days=days)
    assert found.unknown, "there are unknowns in it"
    assert max(found.mails.values()) <= LIMIT, found.mails
    assert found.silent == 0, "each undecided executable was mailed"
    assert found.left_out_of_digest == 0, "the digest names each of them with all of its hosts"
    assert found.moved == 0


def test_patient_zero_is_mailed_among_the_quiet_ones(tmp_path: Path) -> None:
    found = week(tmp_path, "cryptowall", seed=1, hosts=400, days=2)
    assert found.kinds["unknown_ran"] >= 1
    assert (found.silent, found.moved) == (0, 1)
    assert max(found.mails.values()) <= LIMIT
