"""The mail itself: threaded, marked as automatic, and no header that a name could inject."""

from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.alerts.channels import ChannelRefused
from api.alerts.mail import MailSettings, message

from .conftest import Office
from .test_content import alert

TO = MailSettings("mail.example.org", 25, "nac@example.org", ("a@example.org", "Bär <b@example.org>"))
HEADERS = {
    "Subject", "From", "To", "Date", "Message-ID", "Thread-Index", "Auto-Submitted", "X-Pratique-Executable",
    "X-Pratique-Kind", "MIME-Version", "Content-Type",
}  # fmt: skip


def test_the_first_mail_carries_the_conversations_id_and_names_the_executable(office: Any) -> None:
    mail = message(alert(office, [office.runs(1)]), TO)
    assert mail["Message-ID"] == f"<{'a' * 32}@example.org>"
    assert mail["X-Pratique-Executable"].startswith("3f9ac2d1")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@given(st.text(max_size=120))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_name_makes_a_header_or_a_recipient(name: str) -> None:
    from radius_policy.store.memory import MemoryStore

    office = Office(MemoryStore())
    made = message(alert(office, [office.runs(1, name=name, program=f"/tmp/{name}")]), TO)
    read = message_from_bytes(made.as_bytes(), policy=SMTP)
    assert set(read.keys()) <= HEADERS
    assert [address.addr_spec for address in read["To"].addresses] == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize("wrong", ["nobody", "a@b@c", "", "x\r\nBcc: y@example.org"])
def test_an_address_that_is_none_is_named(office: Any, wrong: str) -> None:
    settings_ = MailSettings("mail.example.org", 25, "nac@example.org", (wrong,))
    with pytest.raises(ChannelRefused, match="no e-mail address"):
        message(alert(office, [office.runs(1)]), settings_)
