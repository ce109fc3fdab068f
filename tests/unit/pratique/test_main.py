"""The command answers at once, imports nothing it was not asked for, and names the nearest word for a wrong one."""

import importlib
import subprocess
import sys

import pytest

from pratique import __version__
from pratique.__main__ import WORDS, main


def test_the_version_is_answered_before_anything_else_is_imported():
    code = "import sys; from pratique.__main__ import main; main(['--version']); print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith(f"pratique {__version__}\n")
    for heavy in ("typer", "rich", "msgspec", "importlib.metadata", "api", "lab", "health_agent"):
        assert f"'{heavy}'" not in out


def test_without_a_word_the_words_are_listed_and_the_exit_code_is_that_of_a_wrong_command_line(capsys):
    assert main([]) == 2
    out = capsys.readouterr().out
    assert all(word in out for word in WORDS)


def test_a_misspelt_word_is_refused_with_the_nearest_one(capsys):
    assert main(["alow"]) == 2
    assert capsys.readouterr().err == "pratique: there is no word 'alow'; did you mean 'allow'?\n"


@pytest.mark.parametrize("module", sorted({module for module, _, _ in WORDS.values()}))
def test_every_word_is_answered_by_a_module_that_exists(module):
    assert callable(importlib.import_module(module).main)


def test_every_command_of_the_service_has_a_word_and_every_word_its_command():
    from api import cli

    assert {word for word, (module, _, _) in WORDS.items() if module == "api.cli"} == set(cli.WORDS)
    for module in cli.WORDS.values():
        assert importlib.import_module(module).app


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError("No module named 'typer'", name="typer")

    monkeypatch.setattr(importlib, "import_module", missing)
    assert main(["allow"]) == 1
    assert "pip install 'pratique[server]'" in capsys.readouterr().err
