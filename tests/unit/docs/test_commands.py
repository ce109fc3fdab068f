"""What people copy from the pages works: every command line is one the real command takes, and what is shown is what is printed."""

import io
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.alerts import scripts
from api.alerts.settings import checked
from docs.pages.http_api import routes
from pratique.__main__ import main
from tests.unit.docs import office
from tests.unit.docs.blocks import ROOT, Block, NotParsed, blocks, command_lines, pages, parse, programs

PAGES = [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages()]
RUN = [pytest.param(page, id=page.stem) for page in pages() if any(b.language == "console" for b in blocks(page))]
OTHERS = {"cd", "cp", "echo", "export", "git", "mkdir", "newtool", "pip", "printf", "python", "python3", "sleep"}
"""Programs that are not ours; which there are is checked so that a typing error shows."""


def lines() -> Iterator[tuple[Path, Block, list[str]]]:
    for page in pages():
        for block in blocks(page):
            if block.language in ("console", "sh"):
                for line in command_lines(block):
                    for words in programs(line):
                        yield page, block, words


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_one_that_the_real_command_takes(page: Path) -> None:
    for where, _, words in lines():
        if where != page:
            continue
        program = Path(words[0]).name
        if program == "pratique":
            parse(words[1:])
        elif program == "make":
            assert _targets() >= {word for word in words[1:] if "=" not in word}, words
        elif program == "curl":
            assert _asked(words) in {(method, _shape(path)) for method, path, _ in routes()}, words
        else:
            assert program in OTHERS, f"{page.name}: {' '.join(words)}"


def test_a_renamed_option_would_be_noticed() -> None:
    parse(["allow", "add", "a" * 64, "--why", "x"])
    for wrong in (
        ["allow", "add", "a" * 64, "--because", "x"],
        ["allow", "put", "x"],
        ["agent", "run", "--watcher"],
        ["bless"],
    ):
        with pytest.raises(NotParsed):
            parse(wrong)


def test_hardly_a_page_is_without_a_command_that_is_run() -> None:
    assert len(RUN) >= 5


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("office")
    office.install(made)
    return made


@pytest.mark.parametrize("page", RUN)
def test_what_a_page_shows_is_what_is_printed(
    page: Path, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "office"
    shutil.copytree(template, here)
    monkeypatch.chdir(here)
    monkeypatch.setenv("COLUMNS", "200")
    for block in blocks(page):
        if block.title and block.language in ("toml", "text"):
            file = Path(block.title)
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text + "\n", encoding="utf-8")
        if block.language != "console":
            continue
        for line, expected in _steps(block):
            capsys.readouterr()
            code = _run(line, monkeypatch)
            out, err = capsys.readouterr()
            assert code == int(_says_no(expected)), f"$ {line}\n{err}"
            assert _fits(expected, out + err), f"$ {line}\nprints (exit code {code})\n{out}{err}"


def test_the_alerts_that_a_page_sets_are_taken() -> None:
    [shown] = [block for block in blocks(ROOT / "docs" / "how-to" / "alerts.md") if block.title == "alerts.json"]
    settings = checked(json.loads(shown.text))
    assert {route.name for route in settings.routes} == {"night", "mail", "siem"}


def test_the_scripts_that_a_page_sets_are_taken() -> None:
    found = {block.title: block.text for block in blocks(ROOT / "docs" / "how-to" / "run-a-script.md") if block.title}
    settings = scripts.parse(json.loads(found["scripts.json"]))
    assert {script.run[0] for script in settings.scripts} <= set(scripts.shipped())
    assert set(tomllib.loads(found["switches.toml"])) == {"switches"}


def _steps(block: Block) -> Iterator[tuple[str, list[str]]]:
    line, expected = "", list[str]()
    for each in re.sub(r"\\\n\s*", "", block.text).splitlines():
        if each.startswith("$ "):
            if line:
                yield line, expected
            line, expected = each[2:], []
        else:
            expected.append(each)
    yield line, expected


def _says_no(expected: list[str]) -> bool:
    """Whether the page shows the command refusing something: exit code 1."""
    return bool(expected) and expected[0].startswith(("pratique: ", "wrong."))


def _run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `[printf TEXT |] pratique …` in this process."""
    *before, words = programs(line.replace(office.DAY, office.yesterday()))
    assert Path(words[0]).name == "pratique", f"a console block runs nothing but pratique: {line}"
    said = before[0][1].replace("\\n", "\n") if before else ""
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    return main(words[1:])


def _fits(expected: list[str], printed: str) -> bool:
    wanted = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "…" else re.escape(_plain(line)).replace("…", "[^\n]*") + "\n"
        for line in expected
        if line.strip()
    )
    told = "".join(_plain(line) + "\n" for line in printed.splitlines() if _plain(line))
    return re.fullmatch(wanted, told) is not None


def _plain(text: str) -> str:
    """What differs from day to day and place to place made equal: times, ids, logins, the widths and lines of tables."""
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)
    text = re.sub(r"cli:\w+", "cli:LOGIN", text)
    return " ".join(re.sub(r"─+|-{4,}", " ", text).split())


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _asked(words: list[str]) -> tuple[str, str]:
    url = next(word for word in words if word.startswith("https://"))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    return method, _shape(re.sub(r"^https://[^/]+", "", url))


def _shape(path: str) -> str:
    """A path with its variable parts as `*`, ours and those of an example alike."""
    parts = path.partition("?")[0].split("/")
    known = {part for _, route, _ in routes() for part in route.split("/")}
    return "/".join("*" if part.startswith("{") or part not in known else part for part in parts)
