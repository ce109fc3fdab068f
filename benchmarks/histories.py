"""Made-up weeks of a fleet to replay, harder variants of them, and how a replay's result is scored.

The generator lies with the evaluation data beside the repository; without it there is nothing to replay. What happened
in truth (`truth.jsonl`) is read here only: the product never sees it.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GENERATOR = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "scenarios" / "cryptowall_1500.py"
Row = dict[str, Any]


def generate(out: Path, mode: str, *, seed: int = 1, **options: Any) -> Path:
    """A folder with the four files; `options` are the generator's (`hosts=6500`, `days=90`)."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, str(GENERATOR), "--out", str(out), "--mode", mode, "--seed", str(seed), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def truth(folder: Path) -> dict[str, tuple[str, str]]:
    """What each event was: (truth, case)."""
    return {row["id"]: (row["truth"], row["case"]) for row in rows(folder / "truth.jsonl")}


@dataclass(frozen=True, slots=True)
class Score:
    """Hosts moved for harmless and for harmful starts, and harmful starts that ran in production."""

    harmless_moved: int
    harmful_moved: int
    harmful_ran: int
    harmful: int
    moved_by: dict[str, int]
    first_harmful_moved: bool
    alerts: int
    contained: int


def score(folder: Path, result: Row) -> Score:
    """Join a result with the truth. `first_harmful_moved`: the first harmful start of all moved its host."""
    known = truth(folder)
    harmful = [event for event, (word, _) in known.items() if word == "malicious"]
    moved = [each["event"] for each in result["moved"]]
    held = set(result["held"])
    return Score(
        harmless_moved=sum(known[event][0] != "malicious" for event in moved),
        harmful_moved=sum(known[event][0] == "malicious" for event in moved),
        harmful_ran=sum(event not in held for event in harmful),
        harmful=len(harmful),
        moved_by=dict(Counter(":".join(known[event]) for event in moved)),
        first_harmful_moved=bool(harmful) and harmful[0] in moved,
        alerts=result["alerts"],
        contained=len(result["contained"]),
    )


# --- harder variants ------------------------------------------------------------------------------------------------


def rewrite(
    source: Path, out: Path, change: Callable[[Row, str], Row], keep: Callable[[Row], bool] | None = None
) -> Path:
    """The same history with its events changed (`change(event, truth)`) and inventory lines left out."""
    out.mkdir(parents=True, exist_ok=True)
    known = truth(source)
    for name in ("hosts.jsonl", "truth.jsonl"):
        (out / name).write_bytes((source / name).read_bytes())
    _write(out / "baseline.jsonl", (row for row in rows(source / "baseline.jsonl") if keep is None or keep(row)))
    _write(out / "events.jsonl", (change(row, known[row["id"]][0]) for row in rows(source / "events.jsonl")))
    return out


def _write(path: Path, lines: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def unchanged(event: Row, _: str) -> Row:
    return event


def signed_by(name: str) -> Callable[[Row, str], Row]:
    """Harmful programs are signed by `name`."""
    return lambda event, word: {**event, "signer": name} if word == "malicious" else event


def started_by(parent: Row, signer: str | None = None, folder: str | None = None) -> Callable[[Row, str], Row]:
    """Harmful programs come from an inventoried program (`parent` is a baseline line), perhaps into `folder`."""

    def change(event: Row, word: str) -> Row:
        if word != "malicious":
            return event
        path = event["path"] if folder is None else folder + event["path"].rpartition("\\")[2]
        return {
            **event,
            "parent_path": parent["path"],
            "parent_sha256": parent["sha256"],
            "signer": signer,
            "path": path,
        }

    return change


def apps_missing(source: Path, every: int = 3) -> Callable[[Row], bool]:
    """Every n-th self-updating app is in no inventory: neither its updater nor its installed version."""
    updaters = [row for row in rows(source / "baseline.jsonl") if row["path"].endswith("\\Update.exe")]
    gone = {row["path"].removesuffix("Update.exe") for row in updaters[::every]}
    return lambda row: not any(row["path"].startswith(folder) for folder in gone)


def updater_of(source: Path, *, signed: bool) -> Row:
    """An inventoried updater whose vendor signs, or one whose vendor never does."""
    found = [row for row in rows(source / "baseline.jsonl") if row["path"].endswith("\\Update.exe")]
    return next(row for row in found if bool(row["signer"]) is signed)


def here() -> str | None:
    """Why there is nothing to replay, or None."""
    return None if os.access(GENERATOR, os.R_OK) else "the scenario generator is not beside the repository"
