"""`pratique policy`: rules on the command line, from a file or the store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from api.cli import main
from radius_policy.grace.builtin import text as builtin_text

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Say `pratique policy …` with a database of its own; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    database = f"sqlite:///{tmp_path}/p.db"
    assert main(["database", "migrate", "--database", database]) == 0

    def say(*words: object, stored: bool = True) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["policy", *map(str, words), *(["--database", database] if stored else [])])
        out, err = capsys.readouterr()
        return code, out, err

    return say


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "rules.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


RULES = '[[rule]]\nname = "mine"\n[rule.when]\n"pass.open" = true\n[rule.then]\ngrace = { hours = 8, max_hosts = 1 }\n'
CASES = '[[case]]\nname = "a pass"\nexpect = "graced"\nrule = "mine"\n[case.facts]\n"pass.open" = {}\n'


def test_without_stored_rules_the_shipped_ones_are_shown(run: Run) -> None:
    assert run("show")[1].strip() == builtin_text().strip()
    code, out, _ = run("show", "--json")
    assert code == 0
    assert json.loads(out)["builtin"] is True


def test_imported_rules_are_shown_as_they_were_written(run: Run, file: Callable[[str], Path]) -> None:
    text = "# why we have this\n" + RULES
    assert run("edit", file(text))[:2] == (0, "the rules are now version 1\n")
    assert run("show")[1] == text
    assert run("show", "--builtin")[1].strip() == builtin_text().strip()
    assert run("edit", file(text))[1] == "nothing changed\n"


def test_wrong_rules_never_replace_those_that_work(run: Run, file: Callable[[str], Path]) -> None:
    path = file(RULES.replace("pass.open", "pass.opn"))
    assert run("edit", path)[:2] == (1, f"{path}:4:1: unknown fact `pass.opn`; did you mean pass.open?\n")
    assert json.loads(run("show", "--json")[1])["version"] == 0


def test_the_way_back_to_the_shipped_rules(run: Run, file: Callable[[str], Path]) -> None:
    run("edit", file(RULES))
    assert run("edit", "--reset")[0] == 0
    assert run("show")[1].strip() == builtin_text().strip()


def test_an_editor_changes_the_stored_rules(
    run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("edit", file(RULES))
    monkeypatch.setenv("VISUAL", "sed -i s/mine/ours/")
    assert run("edit")[0] == 0
    assert 'name = "ours"' in run("show")[1]
    monkeypatch.setenv("VISUAL", "sed -i s/hours/ours/")
    code, out, _ = run("edit")
    assert code == 1
    assert "grace has no `ours`; did you mean hours?" in out
    monkeypatch.setenv("VISUAL", "/nonexistent/editor")
    code, _, err = run("edit")
    assert code == 1
    assert "nothing was changed" in err


def test_check_is_silent_about_good_rules_and_names_findings_with_their_place(
    run: Run, file: Callable[[str], Path]
) -> None:
    assert run("check") == (0, "15 rules, nothing to remark\n", "")
    path = file(RULES + RULES.replace("mine", "late"))
    code, out, _ = run("check", path, stored=False)
    assert code == 1
    assert out == f"{path}:7:1: late: unreachable: every start that it means is taken by `mine` before\n"


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(run: Run) -> None:
    code, _, err = run("check", "gone.toml", stored=False)
    assert (code, err) == (1, "pratique: gone.toml cannot be read: No such file or directory\n")


def test_cases_are_judged_by_the_rules_of_a_file(run: Run, file: Callable[[str], Path], tmp_path: Path) -> None:
    rules = file(RULES)
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES.format("true"))
    assert run("test", cases, "--rules", rules, stored=False)[:2] == (0, "1 cases, 0 came out otherwise\n")
    cases.write_text(CASES.format("false"))
    code, out, _ = run("test", cases, "--rules", rules, stored=False)
    assert code == 1
    assert f"{cases}:1: a pass: unknown instead of graced" in out
    assert "pass.open is true: is false" in out
    result = json.loads(run("test", cases, "--rules", rules, "--json", stored=False)[1])
    assert (result["cases"], result["failed"]) == (1, 1)


def test_cases_are_judged_by_the_stored_rules_unless_others_are_named(
    run: Run, file: Callable[[str], Path], tmp_path: Path
) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES.format("true"))
    assert run("test", cases)[0] == 1
    run("edit", file(RULES))
    assert run("test", cases)[0] == 0
    assert run("test", cases, "--rules", "builtin", stored=False)[0] == 1


def test_wrong_cases_are_named_with_their_place(run: Run, tmp_path: Path) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES.format("7"))
    code, out, _ = run("test", cases, "--rules", "builtin", stored=False)
    assert code == 1
    assert out.startswith(f"{cases}:6:1: pass.open is true or false, not 7")
