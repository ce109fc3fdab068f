"""The rule set that a command is about: a file, the shipped rules, or those in the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from api.auth.roles import Identity
from api.cli.common import with_desk
from api.config import Config
from api.errors import Refused

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.grace import RuleSet

BUILTIN: Final = "builtin"


def stored(config: Path | None, database: str | None) -> tuple[str, int]:
    """The stored rules' text and version; the shipped ones and 0 where none are stored."""

    async def deed(desk: "Desk", who: Identity, _: Config) -> tuple[str, int]:
        from radius_policy.grace.builtin import text
        from radius_policy.model import Setting

        setting = await desk.store.read(lambda tx: tx.get(Setting, who.tenant, "rules"))
        if setting is None or not isinstance(setting.value.get("text"), str):
            return text(), 0
        return str(setting.value["text"]), setting.version

    return with_desk(config, database, deed)


def chosen(rules: str, config: Path | None, database: str | None) -> "RuleSet":
    from radius_policy.grace.builtin import builtin

    if rules == BUILTIN:
        return builtin()
    if rules:
        return parsed(read(Path(rules)), rules)
    text, _ = stored(config, database)
    return parsed(text, "rules")


def parsed(text: str, name: str) -> "RuleSet":
    """The rules, or exit code 1 after every mistake was printed with its place."""
    from radius_policy.grace.reading import RuleError, parse

    try:
        return parse(text, name)
    except RuleError as error:
        raise told(error) from error


def told(error: Exception) -> typer.Exit:
    print(error)
    return typer.Exit(1)


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Refused(f"{file} cannot be read: {reason}") from error
