"""The list of chat addresses: read by line, bounded, and never told. The sending is tested with a real receiver."""

from pathlib import Path
from typing import Any

import pytest

from api.alerts.channels import ChannelRefused
from api.alerts.chat import MOST, Chat, ChatChannel
from api.alerts.render import BRIEF_HOSTS, brief

from .conftest import HOSTILE
from .test_content import alert

APPRISE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise tries it itself


@APPRISE
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["json://127.0.0.1/"] * (MOST + 1), f"has {MOST + 1} addresses, at most {MOST}"),
        (["", "# none"], "has no address"),
        (["nonsense-with-a-token"], "line 1 of .* is no address"),
    ],
)
async def test_a_list_that_cannot_be_used_says_why_and_tells_no_address(
    office: Any, tmp_path: Path, lines: list[str], said: str
) -> None:
    file = tmp_path / "urls"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ChannelRefused, match=said) as error:
        await ChatChannel(Chat(str(file))).send(alert(office, [office.runs(1)]))
    assert "token" not in str(error.value)


def test_a_chat_message_names_a_few_hosts_with_their_ports_and_counts_the_others(office: Any) -> None:
    title, text = brief(alert(office, [office.runs(number) for number in range(1, 51)]))
    assert title == "Unknown executable ran on 50 hosts: invoice.exe [3f9ac2d1]"
    assert text.count("02:00:00:00:00:") == BRIEF_HOSTS
    assert "Switch 1 port Gi1/0/1, anna" in text
    assert f"and {50 - BRIEF_HOSTS} more hosts" in text
    assert "Allow it: https://nac.example.org/console/decide/" in text


def test_a_hostile_name_makes_no_line_of_its_own(office: Any) -> None:
    plain = brief(alert(office, [office.runs(1)]))[1]
    hostile = brief(alert(office, [office.runs(1, name=HOSTILE)]))[1]
    assert len(hostile.splitlines()) == len(plain.splitlines())
