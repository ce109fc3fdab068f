"""A fleet's week with a roll-out, a patient zero, worms, updaters and an imaging room: who is moved, and who never.

The weeks come from the generator of the evaluation data, in a smaller fleet so that the suite stays quick;
`benchmarks/scenarios.py` plays the large ones. The rules are the shipped ones, the mode is `enforce`, nobody decides.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.histories import (
    Score,
    apps_missing,
    generate,
    rewrite,
    score,
    signed_by,
    started_by,
    unchanged,
    updater_of,
)
from radius_policy.grace import RuleSet
from radius_policy.grace.builtin import builtin
from radius_policy.model import Operation
from radius_policy.rehearsal.backtest import backtest
from radius_policy.rehearsal.history import Folder

pytestmark = [pytest.mark.shared, pytest.mark.slow]
FLEET = 400
Spoil = Callable[[Path, Path], Path]


def play(
    folder: Path,
    mode: str,
    seed: int = 11,
    spoil: Spoil | None = None,
    how: Operation = Operation.HOLD,
    rules: RuleSet | None = None,
    **options: Any,
) -> Score:
    source = generate(folder / "week", mode, seed=seed, **{"hosts": FLEET, "baseline_per_host": 5, **options})
    if spoil is not None:
        source = spoil(source, folder / "spoiled")
    return score(source, backtest(Folder(source, how), rules or builtin()).as_json())


@pytest.mark.parametrize("seed", [11, 12])
def test_a_roll_out_moves_nobody_and_patient_zero_moves_on_its_first_event(tmp_path: Path, seed: int) -> None:
    found = play(tmp_path, "cryptowall", seed)
    assert (found.harmless_moved, found.first_harmful_moved, found.harmful_ran) == (0, True, 0)
    assert found.alerts <= 5 * 10


def test_a_roll_out_without_provenance_moves_a_few_and_is_contained_by_hash(tmp_path: Path) -> None:
    found = play(tmp_path, "quiet,rollout-np,patient0")
    assert found.moved_by.get("rollout:logon script", 0) <= 3
    assert (found.first_harmful_moved, found.harmful_ran, found.contained) == (True, 0, 3)


@pytest.mark.parametrize("how", Operation)
def test_a_worm_is_contained_after_at_most_the_limit(tmp_path: Path, how: Operation) -> None:
    found = play(tmp_path, "worms", how=how, doubling=120)
    assert (found.harmless_moved, found.contained) == (0, 1)
    assert found.harmful_moved <= 3
    assert found.harmful_ran <= 5


def test_a_worm_with_a_hash_per_host_trips_the_sites_breaker_and_does_not_run(tmp_path: Path) -> None:
    found = play(tmp_path, "quiet,worm-poly", doubling=120)
    assert (found.harmless_moved, found.harmful_ran) == (0, 0)
    assert found.harmful_moved <= 30
    assert found.contained >= found.harmful - 30
    assert found.alerts <= 60  # not one for each of its hashes


def test_a_slow_worm_never_passes_its_three_hosts(tmp_path: Path) -> None:
    found = play(tmp_path, "quiet,slow")
    assert (found.harmless_moved, found.harmful_ran) == (0, 0)
    assert found.harmful_moved <= 3


def test_malware_named_and_placed_like_the_roll_out_is_moved(tmp_path: Path) -> None:
    found = play(tmp_path, "quiet,mimic")
    assert (found.harmless_moved, found.first_harmful_moved, found.harmful_ran) == (0, True, 0)


def test_an_imaging_room_moves_nobody(tmp_path: Path) -> None:
    found = play(tmp_path, "quiet,image", image_pcs=120)
    assert found.harmless_moved == 0


@pytest.mark.parametrize("signer", ["Evil Ltd", "Contura GmbH", "Microsoft Windows"])
def test_a_signature_alone_saves_no_patient_zero(tmp_path: Path, signer: str) -> None:
    found = play(tmp_path, "cryptowall", spoil=lambda source, out: rewrite(source, out, signed_by(signer)))
    assert (found.harmless_moved, found.first_harmful_moved, found.harmful_ran) == (0, True, 0)


@pytest.mark.parametrize("signed", [True, False])
def test_what_a_known_updater_starts_elsewhere_is_unknown(tmp_path: Path, signed: bool) -> None:
    def spoil(source: Path, out: Path) -> Path:
        return rewrite(source, out, started_by(updater_of(source, signed=signed)))

    found = play(tmp_path, "cryptowall", spoil=spoil)
    assert (found.harmless_moved, found.first_harmful_moved, found.harmful_ran) == (0, True, 0)


def test_apps_missing_from_the_inventory_move_few_and_patient_zero_still_moves(tmp_path: Path) -> None:
    found = play(
        tmp_path, "cryptowall", spoil=lambda source, out: rewrite(source, out, unchanged, apps_missing(source))
    )
    assert (found.first_harmful_moved, found.harmful_ran) == (True, 0)
    assert all(hosts <= 3 for case, hosts in found.moved_by.items() if case.startswith("update"))


@pytest.mark.parametrize("pilot", [0.0, 5.0])
def test_ninety_days_of_updates_move_almost_nobody(tmp_path: Path, pilot: float) -> None:
    source = generate(tmp_path / "quarter", "updates", seed=11, hosts=FLEET, days=90, apps=25, baseline_per_host=1)
    found = score(source, backtest(Folder(source, pilot_percent=pilot), builtin()).as_json())
    per_thousand_and_day = found.harmless_moved / FLEET * 1000 / 90
    assert per_thousand_and_day <= (0.05 if pilot else 0.5)


def test_without_rules_nothing_is_trusted_but_the_breaker_keeps_the_fleet_at_work(tmp_path: Path) -> None:
    found = play(tmp_path, "cryptowall", rules=RuleSet())
    assert found.harmful_ran == 0
    assert found.harmless_moved <= 5 * 60
