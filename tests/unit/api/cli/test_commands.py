"""What admins type, what they read, and how it fails."""

import io
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from health_agent.contract import EnrolmentToken
from tests.unit.api.cli.conftest import Say

SHA = "a" * 64
ROOT = Path(__file__).resolve().parents[4]


def test_an_allowed_hash_stands_on_the_list_until_it_is_taken_off(say: Say) -> None:
    done = say("allow", "add", SHA, "--why", "the editor", "--ticket", "T1", "--expires", "7d")
    assert done.code == 0, done.err
    assert f"allowed hash {SHA} for fleet until" in done.out
    [entry] = say("allow", "list", "--json").json
    assert (entry["value"], entry["why"], entry["ticket"]) == (SHA, "the editor", "T1")
    assert entry["author"].startswith("cli:")
    assert "the editor" in say("allow", "list").out
    assert "no longer allowed" in say("allow", "remove", SHA).out
    assert say("allow", "list").out == "the allow list is empty\n"


def test_a_file_stands_for_its_hash(say: Say, tmp_path: Path) -> None:
    import hashlib

    file = tmp_path / "setup.exe"
    file.write_bytes(b"MZ" * 1_000_000)
    done = say("deny", "add", str(file), "--json")
    assert done.json["entry"]["value"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_other_kinds_of_values_are_taken_as_they_are(say: Say) -> None:
    assert say("deny", "add", "Evil Corp", "--kind", "signer").code == 0
    assert say("deny", "list", "--json").json[0]["kind"] == "signer"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("allow", "add", "abc"), "64 hexadecimal digits|too short"),
        (("allow", "add", SHA, "--expires", "soon"), "is no time"),
        (("allow", "add", SHA, "--expires", "2020-01-01"), "expired already"),
        (("allow", "remove", SHA), "nothing on the allow list"),
        (("host", "show", "nobody"), "there is no endpoint"),
        (("host", "clear", "02:00:00:00:00:99"), "no endpoint has the MAC address"),
        (("nas", "remove", "sw1"), "there is no NAS"),
        (("nas", "add", "sw1", "not-an-address", "--secret", "long enough"), "no IP address"),
        (("nas", "add", "sw1", "10.0.0.1"), "needs its shared secret"),
        (("mode", "strict"), "is no mode"),
        (("pause", "maybe"), "none of on, off, show"),
        (("setting", "set", "vlan", "{}"), 'did you mean "vlans"'),
        (("setting", "set", "vlans", "{"), "no JSON"),
        (("user", "disable", "nobody"), "no user"),
        (("enrol-token", "--minutes", "0"), "between 1 and"),
        (("api-token", "remove", "none"), "no token named"),
        (("config", "check", "/nonexistent.toml"), "no such file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(say: Say, words: tuple[str, ...], says: str) -> None:
    import re

    done = say(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pratique: ")
    assert len(done.err.strip().splitlines()) == 1
    assert re.search(says, done.err)


@pytest.mark.parametrize(
    "words",
    [
        ("allow", "ad"),
        ("allow", "add"),
        ("host", "list", "--limit", "x"),
        ("user", "add", "x", "--role", "god"),
        ("nonsense",),
        (),
    ],
)
def test_a_command_line_without_sense_is_exit_code_2(say: Say, words: tuple[str, ...]) -> None:
    assert say(*words).code == 2


def test_a_person_gets_a_one_time_password_once(say: Say) -> None:
    password = say("user", "add", "ann", "--role", "admin", "--one-time").out.strip().rpartition(" ")[2]
    assert len(password) == 24
    assert password not in say("user", "list").out
    assert "one-time password" in say("user", "list").out
    assert say("user", "disable", "ann").code == 1, "the last admin stays"


def test_a_typed_password_is_asked_twice(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["correct horse battery", "correct horse batterx", "short", "short"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    assert "differ" in say("user", "add", "ann").err
    assert "at least 12" in say("user", "add", "ann").err


def test_an_enrolment_token_names_service_and_ca(say: Say) -> None:
    done = say("enrol-token", "--site", "branch")
    token = EnrolmentToken.parse(done.out)
    assert token.url == "https://localhost:8443"
    assert "one endpoint of branch" in done.err
    assert say("enrol-token", "--json").json["site"] == "main"


def test_without_a_ca_the_token_says_how_to_get_one(say: Say, folder: Path) -> None:
    (folder / "data" / "tls" / "ca.pem").unlink()
    assert "pratique serve" in say("enrol-token").err


def test_a_switch_is_added_with_a_secret_from_stdin(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long secret\n"))
    assert say("nas", "add", "sw1", "10.0.0.2", "--secret", "-", "--coa-port", "3799").code == 0
    shown = say("nas", "list")
    assert "10.0.0.2:3799" in shown.out
    assert "a long secret" not in shown.out + say("nas", "list", "--json").out
    assert say("nas", "remove", "sw1").code == 0


def test_a_switch_belongs_to_a_site_the_configured_one_unless_another_is_named(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRATIQUE_NAS_SECRET", "a long secret")
    say("nas", "add", "sw1", "10.0.0.2")
    say("nas", "add", "sw2", "10.0.0.3", "--site", "berlin")
    assert {one["nas_id"]: one["site"] for one in say("nas", "list", "--json").json} == {"sw1": "main", "sw2": "berlin"}
    assert "sw2\tberlin\t10.0.0.3" in say("nas", "list").out


def test_in_a_pipe_nothing_of_a_table_is_cut_folded_or_padded(say: Say) -> None:
    why = "because " * 60
    say("allow", "add", SHA, "--why", why.strip())
    say("allow", "add", "Adobe Inc", "--kind", "signer", "--why", "short\tone")
    lines = [line.split("\t") for line in say("allow", "list").out.splitlines()]
    assert [len(line) for line in lines] == [7] * 3
    assert lines[0] == ["kind", "value", "scope", "by", "why", "since", "until"]
    assert {line[4] for line in lines[1:]} == {why.strip(), "short�one"}


def test_the_mode_is_shown_previewed_and_changed(say: Say) -> None:
    assert say("mode").out == "everything: learn\n"
    assert "would be moved: 0" in say("mode", "enforce", "--preview").out
    assert say("mode").out == "everything: learn\n"
    assert say("mode", "enforce", "--site", "branch", "--json").json["mode"]["sites"] == {"branch": "enforce"}
    assert "site branch: enforce" in say("mode").out
    assert "site branch" not in say("mode", "none", "--site", "branch").out


def test_moves_are_paused_and_go_on(say: Say) -> None:
    assert say("pause", "show").out == "automatic moves are on\n"
    assert say("pause", "--why", "maintenance").out == "automatic moves are stopped\n"
    assert say("pause", "off").out == "automatic moves are on\n"


def test_settings_are_shown_and_set(say: Say) -> None:
    assert say("setting", "show").json["vlans"]["remediation"] == "66"
    assert say("setting", "set", "vlans", '{"production": "1", "remediation": "2"}').out == "vlans is now version 1\n"
    assert say("setting", "show", "vlans").json == {"production": "1", "remediation": "2"}


def test_an_api_token_is_printed_once(say: Say) -> None:
    secret = say("api-token", "add", "siem", "--role", "viewer").out.strip()
    assert secret.startswith("ptk_")
    listed = say("api-token", "list")
    assert "siem" in listed.out
    assert secret not in listed.out


def test_every_deed_is_in_the_audit_whose_chain_fits(say: Say, folder: Path) -> None:
    say("allow", "add", SHA)
    say("pause")
    assert [line["what"] for line in say("audit", "list", "--json").json] == ["pause", "allow.add"]
    assert say("audit", "verify").code == 0
    with sqlite3.connect(folder / "data" / "pratique.db") as database:
        database.execute("UPDATE audit_lines SET who = 'eve' WHERE number = 1")
    database.close()
    assert "line 1" in say("audit", "verify").err


def test_hostile_text_in_a_table_stays_text(say: Say) -> None:
    say("allow", "add", SHA, "--why", "[bold]\x1b[31mred\x1b[0m\nsecond line[/bold]")
    out = say("allow", "list").out
    assert "\x1b" not in out
    assert "[bold]" in out


def test_a_wrong_key_in_the_file_is_told_with_its_line(say: Say, folder: Path) -> None:
    with (folder / "pratique.toml").open("a") as file:
        file.write('lissten = "x"\n')
    for words in (("config", "check"), ("config", "show"), ("allow", "list")):
        done = say(*words)
        assert done.code == 1
        assert 'pratique.toml:5: unknown key "lissten" in [api]; did you mean "listen"?' in done.err


def test_the_configuration_that_is_shown_is_one_that_is_read_back(say: Say, tmp_path: Path) -> None:
    shown = say("config", "show").out
    (tmp_path / "again.toml").write_text(shown)
    assert (
        say("config", "show", "--config", str(tmp_path / "again.toml")).out.splitlines()[1:] == shown.splitlines()[1:]
    )


def test_a_missing_database_says_how_it_is_made(say: Say, folder: Path) -> None:
    (folder / "data" / "pratique.db").unlink()
    done = say("allow", "list")
    assert done.code == 1
    assert "migrate" in done.err
    assert not (folder / "data" / "pratique.db").exists()


def test_a_database_that_another_program_holds_is_said(say: Say, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import radius_policy.store as store

    real = store.open_store
    monkeypatch.setattr(store, "open_store", lambda url: real(url, busy_timeout=0.1))
    holder = sqlite3.connect(folder / "data" / "pratique.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        done = say("allow", "add", SHA)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert "busy" in done.err or "another" in done.err or "locked" in done.err
    assert say("allow", "add", SHA).code == 0


@pytest.mark.parametrize("words", [["allow", "list"], ["mode"], ["config", "show"], ["enrol-token"]])
def test_a_command_imports_no_web_server(folder: Path, words: list[str]) -> None:
    text = (
        "import sys\nfrom api.cli import main\n"
        f"code = main({words!r})\n"
        "heavy = {'fastapi', 'starlette', 'uvicorn', 'alembic', 'jinja2', 'scapy'} & set(sys.modules)\n"
        "assert not heavy, heavy\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
