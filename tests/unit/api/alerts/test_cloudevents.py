"""The CloudEvents envelope: the required attributes, and an id that tells a receiver what it has already."""

import json
from dataclasses import replace
from typing import Any

from api.alerts.cloudevents import cloud_event
from radius_policy.model import EventKind

from .conftest import SHA
from .test_content import alert


def test_it_has_the_required_attributes_and_says_what_the_data_is(office: Any) -> None:
    event = json.loads(cloud_event(alert(office, [office.runs(1)])))
    assert {name: event[name] for name in ("specversion", "type", "source", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "type": "pratique.alert.unknown_ran",
        "source": "https://nac.example.org/console/",
        "subject": SHA,
        "datacontenttype": "application/json",
    }


def test_a_message_sent_again_is_the_same_event_and_an_update_is_another(office: Any) -> None:
    given = alert(office, [office.runs(1)])
    ids = [json.loads(cloud_event(each))["id"] for each in (given, given, replace(given, message_id="b" * 32))]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_about_no_executable_is_about_its_topic(office: Any) -> None:
    given = replace(alert(office, [office.runs(1, kind=EventKind.PAUSED)]), program=None, topic="pause", console="")
    event = json.loads(cloud_event(given))
    assert (event["subject"], event["source"]) == ("pause", "urn:pratique")
