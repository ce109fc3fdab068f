"""Processes are kept alive; what cannot start ends the service."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from api.start import EXIT_CANNOT_START
from api.supervisor import (
    FIRST_PAUSE_S,
    HEALTHY_S,
    LONGEST_PAUSE_S,
    Again,
    GiveUp,
    History,
    Supervisor,
    commands,
    next_step,
)


def test_a_process_that_cannot_start_the_first_time_ends_the_service() -> None:
    assert next_step(History(), code=EXIT_CANNOT_START, ran_s=0.5) == GiveUp(1)


def test_one_that_ran_before_is_tried_again_even_if_it_cannot_start_now() -> None:
    step = next_step(History(), code=-9, ran_s=100)
    assert isinstance(step, Again)
    assert isinstance(next_step(step.history, code=EXIT_CANNOT_START, ran_s=0.1), Again)


def test_pauses_grow_to_a_limit_and_begin_anew_after_a_healthy_run() -> None:
    history, pauses = History(), []
    for _ in range(12):
        step = next_step(history, code=1, ran_s=0.1)
        assert isinstance(step, Again)
        pauses.append(step.pause_s)
        history = step.history
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert next_step(history, code=1, ran_s=HEALTHY_S) == Again(FIRST_PAUSE_S, History(1, ever_ran=True))


def script(folder: Path, text: str) -> list[str]:
    return [sys.executable, "-c", f"import os, signal, sys, time\nfolder = {str(folder)!r}\n{text}"]


RUNS = "open(f'{folder}/{os.getpid()}', 'w').close()\ntime.sleep(60)"


def until(folder: Path, count: int) -> list[int]:
    end = time.monotonic() + 20
    while len(found := [int(file.name) for file in folder.iterdir()]) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_killed_process_is_started_again_and_the_other_is_left_alone(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()

    async def story() -> int:
        kept = Supervisor({name: script(folder / name, RUNS) for name in ("a", "b")})
        running = asyncio.create_task(kept.run())
        [first] = await asyncio.to_thread(until, folder / "a", 1)
        [other] = await asyncio.to_thread(until, folder / "b", 1)
        os.kill(first, signal.SIGKILL)
        pids = await asyncio.to_thread(until, folder / "a", 2)
        assert await asyncio.to_thread(until, folder / "b", 1) == [other]
        os.kill(os.getpid(), signal.SIGTERM)
        code = await running
        ended.extend([*pids, other])
        return code

    ended: list[int] = []
    assert asyncio.run(story()) == 0
    assert len(ended) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in ended)


def test_what_cannot_start_ends_the_others_with_it(folder: Path) -> None:
    async def story() -> int:
        kept = Supervisor({"good": script(folder, RUNS), "bad": script(folder, f"sys.exit({EXIT_CANNOT_START})")})
        return await asyncio.wait_for(kept.run(), 20)

    assert asyncio.run(story()) == 1
    assert not any(Path(f"/proc/{file.name}").exists() for file in folder.iterdir())


def test_a_process_that_does_not_listen_is_killed_after_a_while(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.supervisor.GRACE_S", 0.3)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUNS

    async def story() -> int:
        running = asyncio.create_task(Supervisor({"deaf": script(folder, deaf)}).run())
        await asyncio.to_thread(until, folder, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        return await asyncio.wait_for(running, 20)

    assert asyncio.run(story()) == 0
    assert not any(Path(f"/proc/{file.name}").exists() for file in folder.iterdir())


def test_each_role_gets_its_own_command_line_that_names_the_parent() -> None:
    made = commands(["api", "radius"], ["--config", "/x.toml"])
    assert made["api"][1:] == [
        "-m",
        "api.process",
        "api",
        "--config",
        "/x.toml",
        "--parent",
        str(os.getpid()),
    ]
    assert made["radius"][3] == "radius"
