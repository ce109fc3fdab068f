"""`pratique policy backtest`: recorded starts judged anew under other rules, before they go live.

Progress goes to stderr, the result is one JSON object on the last line of stdout. It reads the history and writes
nothing. With `--events` no configuration and no database are needed.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.cli.common import ConfigOption, DatabaseOption, with_desk
from api.cli.rules import BUILTIN, chosen
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from api.auth.roles import Identity
    from radius_policy.judgement.policy import Policy
    from radius_policy.rehearsal.history import History


def backtest(
    events: Annotated[
        Path | None, typer.Option(help="a folder with hosts.jsonl, baseline.jsonl, events.jsonl, or logs")
    ] = None,
    history: Annotated[str, typer.Option(help="the store's own starts of this long: 30d, 12h")] = "",
    rules: Annotated[str, typer.Option(help="a file with rules, or `builtin`; without it the stored rules")] = "",
    mode: Annotated[str, typer.Option(help="learn, monitor or enforce")] = "enforce",
    operation: Annotated[str, typer.Option(help="how agents meet an unknown: hold or notify")] = "hold",
    diff: Annotated[str, typer.Option(help="a second file with rules: what it would change")] = "",
    pilot_percent: Annotated[float, typer.Option(help="this share of the folder's hosts is the pilot ring")] = 0.0,
    json_: Annotated[bool, typer.Option("--json", help="only the JSON object, no sentence before it")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Replay recorded starts under a rule set and say who would have been moved, held and contained."""
    from radius_policy.model import Mode
    from radius_policy.rehearsal.backtest import Result, difference
    from radius_policy.rehearsal.backtest import backtest as replay
    from radius_policy.rehearsal.history import HistoryError

    source, base = _source(events, history, operation, pilot_percent, config, database)
    if events is not None and not rules:
        rules = BUILTIN

    def run(rule_set: str) -> Result:
        def progress(done: int) -> None:
            print(f"\r{done} events", end="", file=sys.stderr, flush=True)

        try:
            result = replay(
                source, chosen(rule_set, config, database), mode=_word(Mode, mode), base=base, progress=progress
            )
        except HistoryError as error:
            raise Refused(str(error)) from error
        print(f"\r{result.events} events in {result.seconds} s", file=sys.stderr)
        return result

    first = run(rules)
    told = first.as_json()
    if diff:
        second = run(diff)
        told["diff"] = {"rules": diff, **difference(first, second)}
    if not json_:
        print(
            f"{len(first.moved)} moves, {len(first.contained)} executables contained, {len(first.held)} starts held, "
            f"{first.graced} graced, {first.unknown} unknown, {first.alerts} alerts"
        )
    print(json.dumps(told, ensure_ascii=False))


def _source(
    events: Path | None,
    history: str,
    operation: str,
    pilot_percent: float,
    config: Path | None,
    database: str | None,
) -> "tuple[History, Policy | None]":
    from radius_policy.model import Operation
    from radius_policy.rehearsal.history import HistoryError
    from radius_policy.rehearsal.recorded.reading import source

    if (events is None) == (not history):
        raise typer.BadParameter("say either --events DIR or --history 30d", param_hint="--events")
    how = _word(Operation, operation)
    if events is not None:
        try:
            return source(events, how, pilot_percent=pilot_percent), None
        except HistoryError as error:
            raise Refused(str(error)) from error
    return with_desk(config, database, lambda desk, who, _: _kept(desk, who, history))


async def _kept(desk: "Desk", who: "Identity", history: str) -> "tuple[History, Policy]":
    from radius_policy.rehearsal.history import Kept

    span = _span(history)
    if span is None:
        raise Refused(f'"{history}" is no time span: write 30d, 12h or 90m')
    now = desk.clock()
    since = now - span
    return await desk.store.read(
        lambda tx: (Kept.read(tx, who.tenant, since), desk.policies.current(tx, who.tenant, now))
    )


def _span(text: str) -> int | None:
    from radius_policy.model import SECOND

    units = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    number, unit = text[:-1], text[-1:]
    return int(number) * units[unit] * SECOND if number.isdigit() and unit in units else None


Word = TypeVar("Word", bound=StrEnum)


def _word(kind: type[Word], text: str) -> Word:
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(kind)}") from None
