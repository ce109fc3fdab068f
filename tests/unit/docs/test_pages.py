"""The generated pages say what the code does."""

import re
import tomllib
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from api.admin.settings import SETTINGS
from api.alerts.routes import Hours, Route
from api.alerts.scripts import Script, ScriptSettings
from api.alerts.settings import AlertSettings, Spec
from api.config import SECTIONS, parse
from docs.generate import OURS, made, main, pages
from docs.pages import configuration, events, http_api, tables
from docs.pages.commands import SHARED, parsers
from pratique.__main__ import WORDS
from radius_policy.access import TABLE, Ordered, Situation, access
from radius_policy.breaker import Limit, Limits
from radius_policy.model import Access, EventKind, Mode, Posture, PostureReason, Reason

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
WHY = Reason("test", "for the test")


@pytest.mark.parametrize("path", sorted(OURS))
def test_a_page_on_disk_is_what_the_code_makes(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == made(path), "run: python -m docs.generate"


def test_the_pages_can_be_written_anywhere(tmp_path: Path) -> None:
    main(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")} == set(pages())


def test_a_page_depends_on_no_machine_and_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pages()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("PRATIQUE_API_LISTEN", "127.0.0.1:1")
    monkeypatch.setattr("socket.gethostname", lambda: "another-machine")
    assert pages() == before


# ---- commands


def test_every_word_is_on_the_page_of_the_commands() -> None:
    page = made("reference/commands.md")
    assert [line[len("## pratique ") :] for line in page.splitlines() if line.startswith("## pratique ")] == list(WORDS)
    assert all(("Not in this release" in _part(page, word)) == (parsers(word) is None) for word in WORDS)


def test_options_that_are_explained_once_are_there() -> None:
    page = made("reference/commands.md")
    assert all(f"| `{option}` |" in page for option in SHARED)
    assert "Also: `--config`" in page


def _part(page: str, word: str) -> str:
    return page.split(f"## pratique {word}\n", 1)[1].split("\n## ", 1)[0]


# ---- configuration


def test_every_key_of_the_file_is_explained() -> None:
    known = {f"{section}.{field.name.rstrip('_')}" for section, kind in SECTIONS.items() for field in fields(kind)}
    assert set(configuration.KEYS) == known


def test_every_setting_of_the_store_is_explained() -> None:
    assert set(configuration.STORED) == set(SETTINGS)


def test_the_example_is_a_configuration_and_names_every_section() -> None:
    assert set(tomllib.loads(configuration.EXAMPLE)) == set(SECTIONS)
    assert parse(configuration.EXAMPLE).site.name == "hamburg"


# ---- tables


def test_every_level_of_the_breaker_has_its_words() -> None:
    assert set(tables.LEVELS) == {field.name for field in fields(Limits) if field.type in (Limit, "Limit")}


def reason(posture: Posture, *, move: bool = True, placed: bool = True) -> PostureReason:
    return PostureReason(1, "host", "key", posture, 1, WHY, move=move, placed=placed)  # type: ignore[arg-type]


PROBLEM, REMEDIATION, PRODUCTION = Posture.POTENTIAL_PROBLEM, Access.REMEDIATION, Access.PRODUCTION
MOVING = {"posture": PROBLEM, "posture_reason": WHY, "reasons": (reason(PROBLEM),)}
SITUATIONS = {
    "never-quarantine": (Situation(**MOVING, never_quarantine=True), PRODUCTION),
    "min-available": (Situation(**MOVING, min_available_of="tills"), PRODUCTION),
    "ordered": (Situation(Posture.HEALTHY, WHY, ordered=Ordered(True)), REMEDIATION),
    "no-automatic-move": (Situation(**MOVING, mode=Mode.MONITOR), PRODUCTION),
    "compromised": (Situation(Posture.COMPROMISED, WHY, reasons=(reason(Posture.COMPROMISED),)), REMEDIATION),
    "move-outstanding": (Situation(**MOVING), REMEDIATION),
    "other-outcomes": (Situation(PROBLEM, WHY, reasons=(reason(PROBLEM, move=False),)), PRODUCTION),
    "unlisted": (Situation(Posture.HEALTHY, WHY, listed=False), Access.GUEST),
    "unmonitored": (Situation(Posture.UNMONITORED, WHY), PRODUCTION),
    "healthy": (Situation(Posture.HEALTHY, WHY), PRODUCTION),
}


@pytest.mark.parametrize("row", [row.name for row in TABLE])
def test_a_situation_of_each_access_row_gets_what_the_page_says(row: str) -> None:
    situation, given = SITUATIONS[row]
    assert (access(situation)[0], access(situation)[1].level) == (given, row)
    (said,) = (each.says for each in TABLE if each.name == row)
    assert str(given) in said or "cap" in said or "as ordered" in said


def test_the_cap_moves_nobody_and_still_releases() -> None:
    capped, _ = access(Situation(**MOVING, mode=Mode.MONITOR, now=PRODUCTION))
    released, _ = access(Situation(Posture.HEALTHY, WHY, mode=Mode.MONITOR, now=REMEDIATION))
    assert (capped, released) == (PRODUCTION, PRODUCTION)


def test_the_page_says_which_is_stricter() -> None:
    order = re.search(r"Strictness: ([\w< ]+)", made("reference/tables.md").replace("\n", " "))
    assert order is not None
    words = [Access(word.strip()) for word in order[1].split("<")]
    assert all(one.strictness < other.strictness for one, other in pairwise(words))


# ---- events


def test_every_kind_of_event_has_a_severity_and_a_meaning() -> None:
    assert list(events.MEANINGS) == list(EventKind)


def test_a_severity_that_the_code_writes_out_is_on_the_page() -> None:
    """Calls that name kind and severity as constants are compared; computed ones are told by other tests."""
    found = 0
    for room in ("radius_policy", "api"):
        for file in sorted((ROOT / room).rglob("*.py")):
            calls = re.findall(
                r"(?:EventKind\.(\w+)|tell\(\s*\"(\w+)\"),\s*Severity\.(\w+)", file.read_text(encoding="utf-8")
            )
            for member, word, severity in calls:
                kind = EventKind[member] if member else EventKind(word)
                assert severity.lower() in events.MEANINGS[kind][0].split(" · "), f"{file.name}: {kind}"
                found += 1
    assert found >= 10


def test_what_is_told_is_not_called_reserved() -> None:
    told = events.tellers()
    assert {EventKind.UNKNOWN_RAN, EventKind.MOVED, EventKind.MOVE_FAILED, EventKind.PROTECTED} <= set(told)
    assert "radius_policy/judgement/start.py" in told[EventKind.UNKNOWN_RAN]


# ---- alerts


def test_every_channel_and_member_of_the_alerts_is_on_their_page() -> None:
    page = made("reference/alerts.md")
    for kind in (AlertSettings, Route, Hours, ScriptSettings, Script, *get_args(Spec)):
        for member in msgspec.structs.fields(kind):
            assert f"| `{member.encode_name}` |" in page, kind
    assert all(f"\n#### {kind.__struct_config__.tag}\n" in page for kind in get_args(Spec))


# ---- HTTP API


def test_every_route_is_on_the_page_with_the_role_that_it_asks_for() -> None:
    page = made("reference/http-api.md")
    known = http_api.routes()
    assert len(known) >= 30
    for method, path, route in known:
        row = next(line for line in page.splitlines() if line.startswith(f"| {method} | `{path}` |"))
        if (method, path) not in http_api.PLAIN:
            assert f"| {http_api.role(route)} |" in row
            assert http_api.role(route) != "anybody"


def test_the_app_describes_no_path_that_the_page_lacks() -> None:
    described = http_api.app().openapi()["paths"]
    listed = {(method, path) for method, path, _ in http_api.routes()}
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} <= listed
