"""An alert as data, whole and shortened: nothing is cut in the middle, and the number of hosts stays true."""

import json
from typing import Any

import pytest

from api.alerts.cloudevents import cloud_event
from api.alerts.ocsf import detection_finding
from api.alerts.plain import STEPS, fitted, plain

from .test_content import alert


def test_it_is_json_with_the_words_of_the_documentation(office: Any) -> None:
    data = plain(alert(office, [office.runs(17)]))
    assert json.loads(json.dumps(data)) == data
    assert (data["severity"], data["kind"], data["hosts_total"]) == ("warning", "unknown_ran", 1)
    assert data["executable"]["first_ran"] == "2026-11-21T07:41:00.000Z"


@pytest.mark.parametrize("write", [cloud_event, detection_finding])
@pytest.mark.parametrize("limit", [100_000, 20_000, 8_192, 4_096])
def test_a_long_message_describes_fewer_hosts_until_it_fits(office: Any, write: Any, limit: int) -> None:
    given = alert(office, [office.runs(number) for number in range(1, 401)])
    body = fitted(given, limit, write)
    assert len(body) <= limit
    data = json.loads(body)
    assert (data["data"]["hosts_total"] if "data" in data else data["count"]) == 400


def test_what_cannot_fit_is_as_short_as_it_can_be(office: Any) -> None:
    given = alert(office, [office.runs(number) for number in range(1, 401)])
    data = json.loads(fitted(given, 10, cloud_event))["data"]
    assert (data["hosts"], data["further_hosts"], data["hosts_total"]) == ([], ["… and 400 more hosts"], 400)


def test_names_left_out_are_counted(office: Any) -> None:
    given = alert(office, [office.runs(number) for number in range(1, 401)])
    data = json.loads(fitted(given, 8_192, cloud_event))["data"]
    named = [name for name in data["further_hosts"] if name.startswith("PC-")]
    assert data["further_hosts"][-1] == f"… and {400 - len(data['hosts']) - len(named)} more hosts"


def test_a_message_that_fits_is_whole(office: Any) -> None:
    given = alert(office, [office.runs(1)])
    assert fitted(given, 100_000, cloud_event) == cloud_event(given)
    assert STEPS[0] == (25, 1500)
