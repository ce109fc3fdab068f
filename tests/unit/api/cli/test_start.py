"""What a command imports: its start is most of what it costs, so each heavy library is for those who need it."""

import subprocess
import sys

import pytest

HEAVY = ("sqlalchemy", "alembic", "asyncpg", "pyrad", "fastapi", "uvicorn", "jinja2", "structlog", "lief", "evtx")
JUDGEMENT = "radius_policy.judgement.recording"


def imported(words: str, *names: str) -> list[str]:
    """Which of these a command had imported when it was done."""
    code = f"import sys; from api.cli import main; main({words.split()!r}); print([n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return list(eval(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        "host list",
        "allow list",
        "nas list",
        "mode",
        "pause show",
        "setting show",
        "audit list",
        "enrol-token",
        "pause on",
    ],
)
def test_a_command_on_the_embedded_database_imports_no_heavy_library(folder: object, words: str) -> None:
    assert imported(words, *HEAVY) == []


@pytest.mark.parametrize("words", ["host list", "allow list", "nas list", "setting show", "enrol-token"])
def test_what_judges_nothing_imports_no_judgement(folder: object, words: str) -> None:
    assert imported(words, JUDGEMENT) == []


def test_a_deed_that_moves_hosts_does(folder: object) -> None:
    assert imported(f"allow add {'a' * 64}", JUDGEMENT, *HEAVY) == [JUDGEMENT]
