"""The commands as a person calls them."""

import json
from pathlib import Path

import pytest

from health_agent import cli, identity, locking, status
from tests.unit.health_agent.conftest import MAC
from tests.unit.health_agent.fake_service import FakeService
from tests.unit.health_agent.test_status import NOW

Capture = pytest.CaptureFixture[str]


def fails(capsys: Capture, *argv: str) -> str:
    assert cli.main(list(argv)) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("pratique agent: ")
    assert "Traceback" not in captured.err
    return captured.err


def enrol(service: FakeService, state: Path, *more: str) -> int:
    return cli.main(
        ["enrol", service.token(), "--state", str(state), "--name", "pc-17", "--mac", "02-00-00-00-00-10", *more]
    )


def test_enrolling_says_who_one_is_now(service: FakeService, state: Path, capsys: Capture) -> None:
    assert enrol(service, state) == 0
    assert f"enrolled as pc-17 (host-0001) at site main with {service.url}" in capsys.readouterr().out
    assert identity.load(state).endpoint.macs == (MAC,)
    assert service.enrolment.macs == (MAC,)


def test_enrolling_twice_needs_a_word(service: FakeService, state: Path, capsys: Capture) -> None:
    enrol(service, state)
    assert "enrolled already" in fails(capsys, "enrol", "x", "--state", str(state))
    service.tokens = dict.fromkeys(service.tokens, "unused")
    assert enrol(service, state, "--replace") == 0
    assert identity.load(state).host_id == "host-0002"


def test_a_token_may_come_by_standard_input(
    service: FakeService, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(service.token() + "\n"))
    assert cli.main(["enrol", "-", "--state", str(state), "--mac", MAC]) == 0


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["enrol", "nonsense", "--mac", MAC], "this is no enrolment token"),
        (["enrol", "nonsense", "--mac", "02:00"], "'02:00' is no MAC address"),
        (["run"], "is not enrolled"),
        (["learn"], "is not enrolled"),
        (["status"], "no agent has run with"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(state: Path, capsys: Capture, argv: list[str], sentence: str) -> None:
    assert sentence in fails(capsys, *argv, "--state", str(state))


@pytest.mark.parametrize("text", ["0", "-1", "abc", "nan", "99999"])
def test_an_interval_that_makes_no_sense_is_refused(capsys: Capture, text: str) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["run", f"--poll-interval={text}"])
    assert raised.value.code == 2
    assert "is no number of seconds" in capsys.readouterr().err


def test_two_agents_on_one_state_are_refused(service: FakeService, state: Path, capsys: Capture) -> None:
    enrol(service, state)
    capsys.readouterr()
    held = locking.hold(state)
    assert held is not None
    assert "another agent is running" in fails(capsys, "run", "--state", str(state))
    held.close()


def test_learning_takes_what_is_there_as_known_and_tells_the_service(
    service: FakeService, state: Path, tmp_path: Path, capsys: Capture
) -> None:
    enrol(service, state)
    tool = tmp_path / "tools" / "tool"
    tool.parent.mkdir()
    tool.write_bytes(b"\x7fELF")
    tool.chmod(0o755)
    assert cli.main(["learn", "--watch", str(tmp_path / "tools"), "--state", str(state)]) == 0
    assert "1 executables" in capsys.readouterr().out
    assert [line.path for part in service.inventory for line in part.lines] == [str(tool)]
    assert (state / "baseline").read_text().endswith(f"'{tool}'\n")


def test_without_the_service_the_baseline_is_stored_all_the_same(
    service: FakeService, state: Path, tmp_path: Path, capsys: Capture
) -> None:
    enrol(service, state)
    service.close()
    (tmp_path / "tools").mkdir()
    capsys.readouterr()
    assert "stored here, but the service does not have it" in fails(
        capsys, "learn", "--watch", str(tmp_path / "tools"), "--state", str(state)
    )
    assert (state / "baseline").exists()


def test_the_status_of_an_agent_that_died_is_not_running(state: Path, capsys: Capture) -> None:
    state.mkdir()
    status.write(state / "status.json", NOW)
    held = locking.hold(state)
    assert held is not None
    assert cli.main(["status", "--json", "--state", str(state)]) == 0
    assert json.loads(capsys.readouterr().out)["running"] is True
    held.close()
    assert cli.main(["status", "--state", str(state)]) == 1
    assert "NOT running" in capsys.readouterr().out
