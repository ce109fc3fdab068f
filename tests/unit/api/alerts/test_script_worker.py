"""Scripts from the event to the audit: nothing lost, nothing run twice, in order for each host, and all of it written down."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api import audit
from api.alerts import script_process
from api.alerts.script_book import RETRY_S
from api.alerts.script_worker import Figures, Worker
from api.config import Config, Scripts
from api.whereabouts import place
from radius_policy.judgement.policy import PolicyCache
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    AuditLine,
    Cursor,
    Event,
    EventKind,
    ScriptRun,
    Session,
    Setting,
    Severity,
)
from radius_policy.store.interface import StoreError
from tests.unit.api.alerts.conftest import T0, Clock, Office

pytestmark = pytest.mark.anyio
T = DEFAULT_TENANT


@pytest.fixture
def folder() -> Iterator[Path]:
    """The folder of scripts, which another user may look into, and one where they write what they were told."""
    with tempfile.TemporaryDirectory(prefix="scripts-") as made:
        Path(made).chmod(0o755)
        (Path(made) / "told").mkdir()
        (Path(made) / "told").chmod(0o777)
        yield Path(made)


def script(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def config(folder: Path, tmp_path: Path) -> Config:
    base = Config(scripts=Scripts(folder, "nobody" if os.geteuid() == 0 else ""))
    return replace(base, service=replace(base.service, data=tmp_path))


@pytest.fixture
def worker(office: Office, config: Config, clock: Clock) -> Worker:
    return made(office, config, clock)


def made(office: Office, config: Config, clock: Clock) -> Worker:
    return Worker(office.store, config, PolicyCache(), clock, Figures(), asyncio.Event())


def configure(office: Office, *scripts: dict[str, Any], at: int = 0, version: int = 1, **more: Any) -> None:
    value = {"scripts": list(scripts), **more}
    with office.store.transaction() as tx:
        tx.put(Setting(T, "scripts", value, version, "test", at))
        tx.note(T, "settings", "scripts")


def one(run: str, *arguments: str, **more: Any) -> dict[str, Any]:
    return {"name": run, "run": [run, *arguments], "events": ["moved", "released"], **more}


def happens(office: Office, number: int, kind: EventKind = EventKind.MOVED, at: int = T0) -> Event:
    return office.runs(number, kind=kind, severity=Severity.INFO, at=at)


async def settle(worker: Worker) -> None:
    """Rounds until nothing runs and nothing is left to do."""
    for _ in range(200):
        more = await worker.round()
        if not more and not worker._tasks:
            return
        await worker.idle()
    raise AssertionError("the worker does not come to rest")


def runs(office: Office) -> list[ScriptRun]:
    found: list[ScriptRun] = office.store.reading().find(ScriptRun, tenant=T, order="sequence")
    return found


def lines(office: Office) -> list[AuditLine]:
    found: list[AuditLine] = office.store.reading().find(AuditLine, tenant=T, order="number")
    return found


async def test_an_event_runs_its_script_and_exit_code_and_output_stand_in_the_audit(
    office: Office, worker: Worker, folder: Path
) -> None:
    script(folder, "shut", f'cat > {folder}/told/shut.json; echo "shut $1"; echo twice')
    configure(office, one("shut", "--port"))
    happens(office, 17)
    await settle(worker)
    told = json.loads((folder / "told" / "shut.json").read_text())
    assert (told["event"], told["host"], told["port"]) == ("moved", "PC-0017", "Gi1/0/17")
    [run] = runs(office)
    assert (run.state, run.exit_code, run.output, run.tries) == ("done", 0, "shut --port ⏎ twice", 1)
    [line] = lines(office)
    assert (line.who, line.what, line.subject) == ("scripts", "script.run", "shut")
    assert (line.detail["exit_code"], line.detail["output"], line.detail["state"]) == (0, "shut --port ⏎ twice", "done")
    assert audit.verify(office.store.reading(), T) is None


async def test_nothing_is_run_twice_and_nothing_is_written_while_nothing_happens(
    office: Office, worker: Worker, config: Config, clock: Clock, folder: Path
) -> None:
    script(folder, "count", f"echo x >> {folder}/told/count")
    configure(office, one("count"))
    happens(office, 1)
    await settle(worker)
    await settle(made(office, config, clock))
    last = office.store.reading().last_change()
    await settle(worker)
    assert (folder / "told" / "count").read_text() == "x\n"
    assert office.store.reading().last_change() == last


async def test_without_scripts_nothing_is_written_and_what_was_before_the_first_one_runs_nothing(
    office: Office, worker: Worker, config: Config, clock: Clock, folder: Path
) -> None:
    script(folder, "count", f"echo x >> {folder}/told/count")
    happens(office, 1)
    await settle(worker)
    assert office.store.reading().get(Cursor, T, "scripts") is None
    configure(office, one("count"), at=T0 + 1)
    await settle(made(office, config, clock))
    assert runs(office) == []
    happens(office, 2, at=T0 + 2)
    await settle(worker)
    assert [run.host_id for run in runs(office)] == ["host-0002"]
    configure(office, version=2)
    await settle(worker)
    assert office.store.reading().get(Cursor, T, "scripts") is None


async def test_one_that_fails_is_told_to_people_and_is_not_tried_again(
    office: Office, worker: Worker, folder: Path
) -> None:
    script(folder, "fails", "echo the switch says no >&2; exit 3")
    configure(office, one("fails"))
    happens(office, 17)
    await settle(worker)
    [run] = runs(office)
    assert (run.state, run.exit_code, run.output, run.tries) == ("failed", 3, "the switch says no", 1)
    [event] = [e for e in office.store.reading().find(Event, tenant=T) if e.kind == EventKind.SCRIPT_FAILED]
    assert event.severity is Severity.WARNING
    assert event.text.startswith("The script fails for PC-0017 failed: ended with 3")


async def test_one_that_cannot_now_is_tried_again_with_pauses_and_then_fails(
    office: Office, worker: Worker, folder: Path, clock: Clock
) -> None:
    script(folder, "later", f"echo x >> {folder}/told/later; exit 75")
    configure(office, one("later", tries=3))
    happens(office, 17)
    for wait in (0, RETRY_S[0], RETRY_S[1]):
        await settle(worker)
        clock.now += wait * SECOND - 1
        await settle(worker)
        clock.now += 1
        await settle(worker)
    [run] = runs(office)
    assert (run.state, run.tries, (folder / "told" / "later").read_text()) == ("failed", 3, "x\nx\nx\n")


async def test_runs_of_one_host_keep_their_order_and_those_of_others_run_beside_them(
    office: Office, worker: Worker, folder: Path
) -> None:
    """The release must not overtake the shut; the second host does not wait for the first."""
    told = folder / "told"
    script(
        folder, "slow",
        f'event=$(grep -o \'"event":"[a-z]*"\' | head -1); case $event in *moved*) '
        f'echo x >> {told}/began; while [ $(wc -l < {told}/began) -lt 2 ]; do sleep 0.05; done;; esac; echo $event >> {told}/order',
    )  # fmt: skip
    configure(office, one("slow", timeout_s=15))
    happens(office, 1)
    happens(office, 1, EventKind.RELEASED, at=T0 + 1)
    happens(office, 2)
    await settle(worker)
    assert [run.state for run in runs(office)] == ["done"] * 3
    assert (told / "order").read_text().splitlines()[-1] == '"event":"released"'


async def test_no_more_run_at_once_than_the_setting_says(office: Office, worker: Worker, folder: Path) -> None:
    script(folder, "wait", f"mkdir {folder}/told/only || exit 1; sleep 0.1; rmdir {folder}/told/only")
    configure(office, one("wait"), concurrency=1)
    for number in (1, 2, 3):
        happens(office, number)
    await settle(worker)
    assert [run.state for run in runs(office)] == ["done"] * 3


async def test_a_dry_run_starts_nothing_and_writes_down_what_would_be(
    office: Office, worker: Worker, folder: Path
) -> None:
    script(folder, "shut", f"touch {folder}/told/started")
    configure(office, one("shut", "--port", dry_run=True))
    happens(office, 17)
    await settle(worker)
    assert not (folder / "told" / "started").exists()
    [run] = runs(office)
    said = json.loads(run.output)
    assert (run.state, said["argv"], said["stdin"]["host"]) == ("dry_run", [str(folder / "shut"), "--port"], "PC-0017")
    assert lines(office)[0].detail["state"] == "dry_run"


async def test_while_moves_are_paused_nobody_is_cut_off_but_releases_pass(
    office: Office, worker: Worker, folder: Path
) -> None:
    script(folder, "shut", "true")
    configure(office, one("shut"))
    with office.store.transaction() as tx:
        tx.put(Setting(T, "pause", {"on": True, "paused": True}, 1, "test", 0))
        tx.note(T, "settings", "pause")
    happens(office, 1)
    happens(office, 1, EventKind.RELEASED, at=T0 + 1)
    await settle(worker)
    skipped = runs(office)[0]
    assert (skipped.kind, skipped.state, skipped.note) == ("moved", "skipped", "automatic moves are paused")
    assert runs(office)[1].state == "done"


async def test_a_run_that_a_crash_interrupted_is_begun_again_and_says_so(
    office: Office, worker: Worker, config: Config, clock: Clock, folder: Path
) -> None:
    script(
        folder,
        "long",
        f"grep -o '\"attempt\":[0-9]*' >> {folder}/told/attempts; [ -e {folder}/told/second ] || sleep 30",
    )
    configure(office, one("long"))
    happens(office, 1)
    await worker.round()
    for _ in range(500):
        await asyncio.sleep(0.02)
        told = folder / "told" / "attempts"
        if told.exists() and told.read_text().endswith("\n"):  # the shell makes the file before grep writes into it
            break
    await worker.close()
    assert runs(office)[0].state == "running"
    (folder / "told" / "second").touch()
    await settle(made(office, config, clock))
    assert (runs(office)[0].state, runs(office)[0].tries) == ("done", 2)
    assert (folder / "told" / "attempts").read_text().split() == ['"attempt":1', '"attempt":2']


async def test_a_run_whose_end_could_not_be_written_is_begun_again(
    office: Office, worker: Worker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(folder, "count", f"echo x >> {folder}/told/count")
    configure(office, one("count"))
    happens(office, 1)
    write, fails = office.store.write, [True]

    async def failing(work: Any) -> Any:
        if fails and runs(office) and runs(office)[0].state == "running":
            fails.clear()
            raise StoreError("the disk is full")
        return await write(work)

    monkeypatch.setattr(office.store, "write", failing)
    await settle(worker)
    await settle(worker)
    assert (runs(office)[0].state, (folder / "told" / "count").read_text()) == ("done", "x\nx\n")


async def test_a_script_that_is_gone_or_may_not_be_run_is_told(office: Office, worker: Worker, folder: Path) -> None:
    configure(office, one("missing"))
    happens(office, 1)
    await settle(worker)
    assert runs(office)[0].state == "failed"
    assert "No such file" in runs(office)[0].note


async def test_a_run_of_a_script_that_was_taken_out_meanwhile_is_skipped(
    office: Office, worker: Worker, folder: Path, clock: Clock
) -> None:
    script(folder, "later", "exit 75")
    script(folder, "other", "true")
    configure(office, one("later"))
    happens(office, 1)
    await settle(worker)
    configure(office, one("other"), version=2)
    clock.now += RETRY_S[0] * SECOND
    await settle(worker)
    assert (runs(office)[0].state, runs(office)[0].note) == ("skipped", "the setting has no such script any more")


async def test_output_cannot_break_the_lines_of_the_audit(office: Office, worker: Worker, folder: Path) -> None:
    script(folder, "odd", r"printf 'a\033[2Jb\r\n\303\050\n'")
    configure(office, one("odd"))
    happens(office, 1)
    await settle(worker)
    assert runs(office)[0].output.isprintable()


async def test_a_defect_of_ours_in_one_run_is_told_and_the_next_one_runs(
    office: Office, worker: Worker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(folder, "good", "true")
    configure(office, one("good"))
    real, broken = script_process.run, [True]

    async def run(command: Any, told: bytes) -> Any:
        if broken:
            broken.clear()
            raise TypeError("unexpected keyword")
        return await real(command, told)

    monkeypatch.setattr(script_process, "run", run)
    happens(office, 1)
    happens(office, 2)
    await settle(worker)
    assert sorted((run.state, run.note[:17]) for run in runs(office)) == [
        ("done", "ended with 0 afte"), ("failed", "defect: TypeError")
    ]  # fmt: skip


async def test_where_a_script_found_a_host_in_a_switchs_table_is_known_from_then_on(
    office: Office, worker: Worker, folder: Path, clock: Clock
) -> None:
    script(folder, "shut", "echo 'Gi1/0/9 of sw1 is shut (known by mac-table)'")
    configure(office, one("shut"))
    event = happens(office, 17)
    with office.store.transaction() as tx:
        tx.delete(Session, tenant=T, nas_id="sw1")
    await settle(worker)
    found = place(office.store.reading(), T, event.host_id)
    assert (found.switch, found.port, found.source, found.seen) == ("Switch 1", "Gi1/0/9", "mac-table", clock.now)
