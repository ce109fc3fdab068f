"""`pratique policy`: the rules shown, edited, checked and rehearsed before they go live.

`check` and `test` with `--rules FILE` (or `builtin`) need no database. What is stored is checked first: a wrong rule set
never replaces one that works.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.auth.roles import Identity
from api.cli import rules as rule_sets
from api.cli.backtest import backtest
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, print_json, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk

app = made_app("The rules: show, edit, check, test, backtest.")
app.command()(backtest)

_YOUNG: Final = 30 * 86_400 * 1_000_000
_EDITORS: Final = ("VISUAL", "EDITOR")


@app.command()
def show(
    builtin: Annotated[bool, typer.Option("--builtin", help="the shipped rules instead of the stored ones")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Print the rules that are in force, comments and all: redirect it into a file to export them."""
    from radius_policy.grace.builtin import text

    shown, version = (text(), 0) if builtin else rule_sets.stored(config, database)
    if as_json:
        print_json({"text": shown, "version": version, "builtin": version == 0})
        return
    print(shown.rstrip("\n"))


@app.command()
def edit(
    file: Annotated[Path | None, typer.Argument(help="a file to import; without one an editor opens")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="back to the shipped rules")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Change the rules. They are checked before they are stored, and every version stays in the audit."""
    from radius_policy.grace.builtin import text as builtin_text

    old, _ = rule_sets.stored(config, database)
    if reset:
        new = builtin_text()
    elif file is not None:
        new = rule_sets.read(file)
        rule_sets.parsed(new, str(file))
    else:
        new = _edited(old)
    if new == old:
        print("nothing changed")
        return

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import settings

        made = await desk.plain(lambda tx, now: settings.change_setting(tx, who, "rules", {"text": new}, now=now))
        print(f"the rules are now version {made.version}")

    with_desk(config, database, deed)


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="a file with rules; without one the stored rules")] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Name what is wrong or suspicious in rules. Exit code 1 where something should be changed.

    Of stored rules also those that never matched, once they are in force for 30 days.
    """
    from radius_policy.grace.positions import positions
    from radius_policy.rehearsal.check import check as findings

    counted: dict[str, int] | None = None
    if file is not None:
        name, text = str(file), rule_sets.read(file)
    else:
        name = "rules"
        text, version = rule_sets.stored(config, database)
        counted = _matches(text, config, database) if version else None
    rules = rule_sets.parsed(text, name)
    found = findings(rules, counted)
    spots = positions(text)
    where = {rule.name: spots["rule", index].key for index, rule in enumerate(rules.rules)}
    for finding in found:
        at = where[finding.rule]
        print(f"{name}:{at.line}:{at.column}: {finding.rule}: {finding.smell}: {finding.text}")
    if any(finding.serious for finding in found):
        raise typer.Exit(1)
    if not found:
        print(f"{len(rules.rules)} rules, nothing to remark")


@app.command("test")
def rehearse(
    file: Annotated[Path, typer.Argument(help="a file with cases: facts and the expected verdict")],
    rules: Annotated[str, typer.Option(help="a file with rules, or `builtin`; without it the stored rules")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Judge cases by rules and compare with what is expected. Exit code 1 where one comes out otherwise."""
    from api.start import now_us
    from radius_policy.grace.reading import RuleError
    from radius_policy.rehearsal.cases import read_cases, tell

    chosen = rule_sets.chosen(rules, config, database)
    try:
        cases = read_cases(rule_sets.read(file), str(file))
    except RuleError as error:
        raise rule_sets.told(error) from error
    told = tell(cases, chosen, now_us())
    failed = [each for each in told if each.wrong]
    if as_json:
        lines = [
            {"case": t.case.name, "ok": not t.wrong, "wrong": t.wrong, "failed_conditions": list(t.why)} for t in told
        ]
        print_json({"cases": len(told), "failed": len(failed), "results": lines})
    else:
        for each in failed:
            print(f"{file}:{each.case.line}: {each.case.name}: {each.wrong}")
            for reason in each.why:
                print(f"    {reason}")
        print(f"{len(told)} cases, {len(failed)} came out otherwise")
    if failed:
        raise typer.Exit(1)


def _matches(text: str, config: Path | None, database: str | None) -> dict[str, int] | None:
    """How often each rule matched: grace rules by their slots, others by sightings. None while they are young."""
    rules = rule_sets.parsed(text, "rules")

    async def deed(desk: "Desk", who: Identity, _: Config) -> dict[str, int] | None:
        from radius_policy.model import GraceSlot, HostExecutable, Setting
        from radius_policy.store.interface import Reading

        now = desk.clock()

        def count(tx: Reading) -> dict[str, int] | None:
            stored = tx.get(Setting, who.tenant, "rules")
            if stored is None or now - stored.at < _YOUNG:
                return None
            return {
                rule.name: tx.count(GraceSlot if rule.grace else HostExecutable, tenant=who.tenant, rule=rule.name)
                for rule in rules.rules
            }

        return await desk.store.read(count)

    return with_desk(config, database, deed)


def _edited(old: str) -> str:
    """What the person's editor made of the rules; opened again until they are right or left as they were."""
    import os
    import shlex

    command = next((os.environ[name] for name in _EDITORS if os.environ.get(name)), "vi")
    with tempfile.NamedTemporaryFile("w+", suffix=".toml", encoding="utf-8", delete=False) as file:
        file.write(old)
    path = Path(file.name)
    try:
        while True:
            try:
                subprocess.run([*shlex.split(command), str(path)], check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise Refused(f"the editor {command!r} failed: {error}; nothing was changed") from error
            new = rule_sets.read(path)
            try:
                rule_sets.parsed(new, "rules")
            except typer.Exit:
                if not sys.stdin.isatty() or not typer.confirm("edit again?", default=True):
                    raise
            else:
                return new
    finally:
        path.unlink()
