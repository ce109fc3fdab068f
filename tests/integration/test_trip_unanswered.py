"""A trip that nobody answers, on the real service: one urgent mail, killed in the middle, then the next person and the site's
choice; and one that is answered in time, after which neither follows."""

import contextlib
import email
import email.policy
import json
import os
import signal
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.integration.service_world import Endpoint, Installation, free_port, installed
from tests.world import sha

SECONDS = 8.0
"""So long a trip waits for its answer here."""


class Inbox:
    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos[0], mail))
        return "250 taken"

    def to(self, person: str) -> list[str]:
        """What somebody was sent: subject and text."""
        return [
            f"{mail['Subject']}\n{body.get_content() if (body := mail.get_body(('plain',))) else ''}"
            for to, mail in self.mails
            if to.startswith(person)
        ]


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    control = Controller(inbox, hostname="127.0.0.1", port=free_port())
    control.start()
    try:
        yield inbox, control.port
    finally:
        control.stop()


def until(what: Any, seconds: float = 30.0) -> Any:
    """The first value that is something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def running(folder: Path, port: int, choice: str) -> Iterator[Installation]:
    """An installation with a mail server, somebody behind the team, and that choice for an unanswered trip."""
    with installed(folder) as made:
        _set_up(made, port, choice)
        yield made


def _set_up(made: Installation, port: int, choice: str) -> None:
    with made.file.open("a") as file:
        file.write(
            f'[mail]\nserver = "127.0.0.1"\nport = {port}\ntls = "none"\nfrom = "pratique@example.org"\nto = ["team@example.org"]\n'
        )
    made.start()
    alerts = {
        "channels": {"anna-mail": {"type": "mail", "to": ["anna@example.org"]}},
        "people": {"anna": ["anna-mail"]},
        "routes": [{"name": "all", "channels": ["mail"], "people": ["anna"], "answer_s": 600}],
    }
    made.cli("setting", "set", "alerts", json.dumps(alerts))
    made.cli("setting", "set", "breaker", '{"executable": {"number": 1, "percent": 100}}')
    made.cli("setting", "set", "trips", json.dumps({"minutes": SECONDS / 60, "choice": choice}))
    made.cli("mode", "enforce")


def trip(made: Installation) -> list[Endpoint]:
    """Three endpoints start the same unknown program: one is moved, the second trips the limit."""
    found = []
    for n in range(3):
        endpoint = Endpoint(made, f"02:00:00:00:01:{n:02x}")
        assert endpoint.enrol(made.cli("enrol-token").stdout).status_code == 200
        endpoint.send(endpoint.report(sha("worm")))
        found.append(endpoint)
    return found


def access(made: Installation, endpoint: Endpoint) -> tuple[str, str]:
    """(access, who ordered it)."""
    shown = json.loads(made.cli("host", "show", endpoint.host_id, "--json").stdout)
    return shown["access"], (shown["ordered"] or {}).get("by", "")


def test_nobody_answers_so_the_next_person_is_told_and_the_site_quarantines_although_the_service_was_killed(
    tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    mails, port = inbox
    with running(tmp_path, port, "quarantine") as made:
        endpoints = trip(made)
        urgent = until(lambda: [text for text in mails.to("team") if "Breaker tripped" in text])
        assert urgent[0].startswith("URGENT")
        for button in ("Allow it", "Deny it", "Quarantine all", "Keep holding"):
            assert button in urgent[0]
        assert mails.to("anna") == []
        assert [access(made, each)[0] for each in endpoints] == ["remediation", "production", "production"]
        os.kill(made.children()["api"], signal.SIGKILL)
        told = until(lambda: mails.to("anna"), SECONDS + 30)
        assert "Breaker tripped" in told[0]
        until(lambda: [text for text in mails.to("team") if "Nobody answered a breaker trip" in text])
        assert [access(made, each) for each in endpoints] == [
            ("remediation", ""), ("remediation", "site"), ("remediation", "site"),
        ]  # fmt: skip
        [answered] = json.loads(made.cli("trip", "list", "--all", "--json").stdout)
        assert (answered["answer"], answered["answered_by"], answered["waits"]) == ("quarantine", "site", False)
        assert json.loads(made.cli("alert", "list", "--json").stdout), "somebody is needed still"
        assert "released: 3" in made.cli("trip", "allow", answered["id"], "--why", "it was a roll-out").stdout
        assert json.loads(made.cli("alert", "list", "--json").stdout) == []


def test_an_answer_in_time_ends_the_calling_and_the_sites_choice_does_not_follow(
    tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    mails, port = inbox
    with running(tmp_path, port, "release") as made:
        endpoints = trip(made)
        [waiting] = json.loads(made.cli("trip", "list", "--json").stdout)
        made.cli("trip", "keep", waiting["id"], "--why", "we look at it")
        time.sleep(SECONDS + 4)
        assert mails.to("anna") == []
        assert [access(made, each)[0] for each in endpoints] == ["remediation", "production", "production"]
        assert not [text for text in mails.to("team") if "Nobody answered" in text]
        assert "cli:" in json.loads(made.cli("trip", "list", "--all", "--json").stdout)[0]["answered_by"]
