"""The service as people and agents meet it: processes, TLS, command line, kills and restarts."""

import json
import os
import signal
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.integration.service_world import Endpoint, Installation, host, installed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("site")) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def endpoint(site: Installation) -> Endpoint:
    made = Endpoint(site)
    answer = made.enrol(site.cli("enrol-token").stdout)
    assert answer.status_code == 200, answer.text
    return made


def sha(number: int) -> str:
    return f"{number:064x}"


def test_the_story_from_an_unknown_program_to_the_admins_word_and_back(site: Installation, endpoint: Endpoint) -> None:
    site.cli("mode", "enforce")
    answer = endpoint.send(endpoint.report(sha(1)))
    assert [one.verdict for one in answer.verdicts] == ["unknown"]
    assert (host(site)["posture"], host(site)["access"]) == ("potential_problem", "remediation")
    said = site.cli("allow", "add", sha(1), "--why", "the new editor").stdout
    assert "released: 1" in said
    assert (host(site)["posture"], host(site)["access"]) == ("healthy", "production")
    assert endpoint.send(endpoint.report(sha(1))).verdicts[0].verdict == "allowed"


def test_only_tls_1_3_is_spoken_with_a_certificate_of_our_own_ca(site: Installation) -> None:
    trust = ssl.create_default_context(cafile=str(site.folder / "data/tls/ca.pem"))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    with httpx.Client(verify=trust) as old, pytest.raises(httpx.ConnectError, match=r"(?i)protocol"):
        old.get(f"https://localhost:{site.port}/healthz")
    with httpx.Client() as stranger, pytest.raises(httpx.ConnectError, match=r"(?i)verify"):
        stranger.get(f"https://localhost:{site.port}/healthz")


def test_the_service_is_ready_when_its_radius_process_is(site: Installation) -> None:
    with site.client() as client:
        end = time.monotonic() + 20
        while (answer := client.get("/readyz")).status_code != 200:
            assert time.monotonic() < end, answer.text
            time.sleep(0.2)
        metrics = client.get("/metrics").text
    assert "pratique_radius_up 1.0" in metrics
    assert "pratique_ingest_messages_total" in metrics


def test_a_person_with_a_one_time_password_is_printed_once(site: Installation) -> None:
    said = site.cli("user", "add", "ann", "--role", "admin", "--one-time").stdout
    password = said.strip().rpartition(" ")[2]
    assert len(password) == 24
    assert password not in site.cli("user", "list").stdout
    assert password not in site.log.read_text()


@pytest.mark.parametrize("role", ["api", "radius"])
def test_a_process_that_is_killed_alone_comes_back_and_nothing_acknowledged_is_lost(
    site: Installation, endpoint: Endpoint, role: str
) -> None:
    report = endpoint.report(sha(1))
    endpoint.send(report)
    before = site.children()
    os.kill(before[role], signal.SIGKILL)
    end = time.monotonic() + 40
    while site.children().get(role) in (None, before[role]):
        assert time.monotonic() < end
        time.sleep(0.02)
    site.wait()
    other = "radius" if role == "api" else "api"
    assert site.children()[other] == before[other], "the other one was not disturbed"
    endpoint.client = site.client()
    assert endpoint.send(report).repeated


def test_a_second_service_says_that_the_port_is_in_use_and_ends(site: Installation) -> None:
    second = site.cli("serve", "--role", "api", check=False)
    assert second.returncode == 1
    assert f"port {site.port}" in second.stderr
    assert "in use" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_used_token_is_refused_in_a_sentence(site: Installation) -> None:
    text = site.cli("enrol-token").stdout
    assert Endpoint(site, "02:00:00:00:00:77").enrol(text).status_code == 200
    answer = Endpoint(site, "02:00:00:00:00:78").enrol(text)
    assert answer.status_code == 409
    assert "used before" in answer.json()["detail"]


def test_the_log_holds_no_token(site: Installation) -> None:
    text = site.cli("enrol-token").stdout.strip()
    Endpoint(site, "02:00:00:00:00:79").enrol(text)
    assert text not in site.log.read_text()


def test_ending_the_supervisor_ends_all(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.start()
        pids = list(made.children().values())
        assert len(pids) == 2
        assert made.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert "Traceback" not in made.log.read_text()


def test_a_supervisor_that_is_killed_takes_its_processes_with_it(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.start()
        pids = list(made.children().values())
        assert made.service is not None
        made.service.kill()
        made.service.wait(10)
        end = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() and _alive(pid) for pid in pids):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_an_open_page_of_the_console_does_not_delay_the_end(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.start()
        client = logged_in(made)
        with client.stream("GET", "/console/live") as page:
            assert next(page.iter_lines()).startswith("retry")
            began = time.monotonic()
            assert made.stop() == 0
            assert time.monotonic() - began < 2, "uvicorn gives open streams two seconds, then cuts them"


def test_a_kept_connection_on_which_nothing_is_asked_does_not_delay_the_end(tmp_path: Path) -> None:
    with installed(tmp_path) as made:
        made.start()
        agents = [made.client() for _ in range(5)]
        assert {agent.get("/console/login").status_code for agent in agents} == {200}
        assert made.stop() == 0
        log = [json.loads(line) for line in made.log.read_text().splitlines()]
        assert [line for line in log if line["level"] == "error"] == []
        at = {line["event"].split(" [")[0]: datetime.fromisoformat(line["timestamp"]) for line in log}
        assert at["Finished server process"] - at["Shutting down"] < timedelta(seconds=1.5)


def logged_in(site: Installation) -> httpx.Client:
    """A browser of an admin who has set a password."""
    once = site.cli("user", "add", "bob", "--role", "admin", "--one-time").stdout.strip().rpartition(" ")[2]
    client = site.client()
    client.post("/console/login", data={"name": "bob", "password": once, "next": "/console/"})
    csrf = client.get("/console/password").text.split('name="csrf" value="')[1].split('"')[0]
    new = "correct horse battery staple"
    client.post("/console/password", data={"csrf": csrf, "old": once, "new": new, "again": new})
    assert client.get("/console/").status_code == 200
    return client


def _alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
