"""Scripts that run on chosen events: which, with what command line, and what each is told on its standard input.

    {"concurrency": 4,
     "scripts": [{"name": "shut-port", "run": ["pratique:shut_port", "--switches", "/etc/pratique/switches.toml"],
                  "events": ["moved", "released"], "timeout_s": 20}]}

Guarantees: pure. A command line is made of the setting alone: nothing that an endpoint, a switch or a mail said is ever
part of it or of the environment; all of that is JSON on standard input. A script is a file of the one folder that the
configuration names, or a shipped one (`pratique:NAME`), so whoever may change a setting cannot run any program.

What it does not do: it starts nothing (`script_process.py`) and keeps nothing (`script_worker.py`).
"""

import re
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from api.alerts.routes import Name
from api.errors import Refused
from radius_policy.grace import RuleSet
from radius_policy.model import Event, EventKind, Outcome, Severity

SETTING: Final = "scripts"
SHIPPED: Final = "pratique:"
FOLDER: Final = Path(__file__).resolve().parent.parent / "scripts"
"""Where the shipped scripts are."""
ENVIRONMENT: Final[Mapping[str, str]] = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
TIGHTENING: Final = frozenset({EventKind.MOVED, EventKind.UNKNOWN_RAN, EventKind.DENIED_RAN, EventKind.HELD})
"""Events after which a script may cut somebody off; while automatic moves are paused, their scripts wait for a person."""
_SHARED: Final = "exchange"
"""What the shipped scripts share; no script."""
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STARTS: Final = frozenset({EventKind.UNKNOWN_RAN, EventKind.DENIED_RAN, EventKind.HELD, EventKind.GRACED})


class BadScripts(Refused):
    """The setting `scripts`, or a file that it names, cannot be used; the message says what is wrong and where."""


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One script. `run` is its file's name and its arguments; `events` are kinds of events, and a rule with the outcome
    `run-script = NAME` runs it too. Empty `sites` or `groups` mean any. A script that ends with exit code 75 is
    tried again, `tries` times in all. With `dry_run` nothing is started, and what would be is written down."""

    name: Name
    run: Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]
    events: tuple[EventKind, ...] = ()
    severity: Literal["info", "warning", "urgent"] = "info"
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    output_kib: Annotated[int, Meta(ge=1, le=1024)] = 64
    tries: Annotated[int, Meta(ge=1, le=10)] = 3
    dry_run: bool = False

    def __post_init__(self) -> None:
        file = self.run[0].removeprefix(SHIPPED)
        if not _FILE.fullmatch(file):
            raise ValueError(
                f"script {self.name}: `run` begins with the name of a file in the folder of scripts, or {SHIPPED}NAME "
                f"for a shipped one, not {self.run[0]!r}"
            )
        if any("\0" in word for word in self.run):
            raise ValueError(f"script {self.name}: an argument cannot hold a NUL")


class ScriptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The setting `scripts`. At most `concurrency` scripts run at the same time."""

    scripts: tuple[Script, ...] = ()
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 4

    def __post_init__(self) -> None:
        names = [script.name for script in self.scripts]
        if len(set(names)) != len(names):
            raise ValueError("two scripts have the same name")

    def named(self, name: str) -> Script | None:
        return next((script for script in self.scripts if script.name == name), None)


def parse(value: Mapping[str, Any] | None) -> ScriptSettings:
    """From the setting's JSON data; nothing gives no scripts. Raises BadScripts."""
    try:
        return msgspec.convert(value or {}, ScriptSettings)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadScripts(f"the setting {SETTING}: {error}") from error


def wanted(settings: ScriptSettings, event: Event, groups: Iterable[str], rules: RuleSet) -> list[Script]:
    """The scripts that this event runs, in their order; `groups` are its host's."""
    asked = _asked(event, rules)
    theirs = set(groups)
    return [
        script
        for script in settings.scripts
        if (
            script.name == asked
            or (event.kind in script.events and event.severity >= Severity[script.severity.upper()])
        )
        and (not script.sites or event.site in script.sites)
        and (not script.groups or theirs & set(script.groups))
    ]


def _asked(event: Event, rules: RuleSet) -> str:
    """The script that the rule which judged a start names, or ''."""
    if event.kind not in _STARTS:
        return ""
    name = event.facts.get("rule")
    rule = next((rule for rule in rules.rules if rule.name == name), None)
    return rule.script if rule is not None and Outcome.RUN_SCRIPT in rule.outcomes else ""


@dataclass(frozen=True, slots=True)
class Command:
    """What is started: the whole command line, and who runs it ('' = whoever this process is)."""

    argv: tuple[str, ...]
    user: str
    timeout_s: float
    output: int


def command(script: Script, folder: Path, user: str) -> Command:
    """The command line of a script. Raises BadScripts for a file that is not there, or that others could change."""
    name, *arguments = script.run
    if name.startswith(SHIPPED):
        file = FOLDER / f"{name.removeprefix(SHIPPED)}.py"
        if not file.is_file():
            raise BadScripts(
                f"script {script.name}: there is no shipped script {name}; shipped are {', '.join(shipped())}"
            )
        program: tuple[str, ...] = (sys.executable, "-I", str(file))
    else:
        file = folder / name
        _trusted(script, file)
        program = (str(file),)
    return Command((*program, *arguments), user, script.timeout_s, script.output_kib * 1024)


def shipped() -> list[str]:
    """The names of the shipped scripts."""
    return sorted(f"{SHIPPED}{file.stem}" for file in FOLDER.glob("[a-z]*.py") if file.stem != _SHARED)


def _trusted(script: Script, file: Path) -> None:
    """Refuse a file that somebody else than its owner and root could have written (its folder too)."""
    try:
        status, above = file.stat(), file.parent.stat()
        with file.open("rb") as opened:
            head = opened.read(4)
    except OSError as error:
        raise BadScripts(f"script {script.name}: {file} cannot be used: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
        raise BadScripts(f"script {script.name}: {file} is no executable file; chmod 755 makes it one")
    if not head.startswith((b"#!", b"\x7fELF")):  # execvp would hand it to a shell
        raise BadScripts(f"script {script.name}: {file} is no program; a script begins with #! and its interpreter")
    if (status.st_mode | above.st_mode) & 0o022:
        raise BadScripts(
            f"script {script.name}: {file} or its folder can be written by others than its owner; chmod go-w ends that"
        )
