"""The OCSF event: the attributes that Detection Finding requires in schema 1.4.0, and no others than it has."""

import json
from dataclasses import replace
from typing import Any

import pytest

from api.alerts.ocsf import detection_finding
from radius_policy.model import EventKind, Severity

from .conftest import HOSTILE, SHA, T0
from .test_content import alert

REQUIRED = {
    "": {"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"},
    "metadata": {"product", "version"},
    "finding_info": {"uid"},
    "device": {"type_id"},
}
HAS = {
    "": REQUIRED[""] | {"message", "status_id", "is_alert", "count", "device", "evidences", "unmapped"},
    "metadata": {"product", "version", "uid", "event_code", "profiles"},
    "finding_info": {"uid", "title", "desc", "types", "first_seen_time", "last_seen_time", "src_url"},
    "device": {"uid", "type_id", "hostname", "mac", "network_interfaces"},
}
"""https://schema.ocsf.io/1.4.0/classes/detection_finding?profiles=host"""


def event(office: Any, **changed: Any) -> dict[str, Any]:
    given = alert(office, [office.runs(17)])
    data: dict[str, Any] = json.loads(detection_finding(replace(given, **changed)))
    return data


def test_it_has_what_the_class_requires_and_nothing_it_does_not_have(office: Any) -> None:
    data = event(office, further=("PC-0099",))
    for name, required in REQUIRED.items():
        part = data[name] if name else data
        assert required <= set(part) <= HAS[name], name


def test_class_and_type_fit_together_and_times_are_milliseconds(office: Any) -> None:
    data = event(office)
    assert (data["category_uid"], data["class_uid"], data["activity_id"], data["type_uid"]) == (2, 2004, 1, 200401)
    assert data["time"] == T0 // 1000
    assert data["metadata"]["version"] == "1.4.0"
    assert data["metadata"]["profiles"] == ["host"]


def test_an_update_updates_the_same_finding(office: Any) -> None:
    first, update = event(office), event(office, number=2, message_id="b" * 32)
    assert (update["activity_id"], update["type_uid"]) == (2, 200402)
    assert first["finding_info"]["uid"] == update["finding_info"]["uid"]
    assert first["metadata"]["uid"] != update["metadata"]["uid"]


@pytest.mark.parametrize(
    ("severity", "number", "is_alert"),
    [(Severity.INFO, 1, False), (Severity.WARNING, 3, True), (Severity.URGENT, 5, True)],
)
def test_severities_are_those_of_ocsf(office: Any, severity: Severity, number: int, is_alert: bool) -> None:
    data = event(office, severity=severity)
    assert (data["severity_id"], data["is_alert"]) == (number, is_alert)


def test_the_file_is_named_by_its_hash_and_the_device_by_its_mac(office: Any) -> None:
    data = event(office)
    [evidence] = data["evidences"]
    assert evidence["file"]["hashes"] == [{"algorithm_id": 3, "value": SHA}]
    assert evidence["file"]["type_id"] == 1
    assert evidence["user"] == {"name": "anna"}
    assert data["device"]["mac"] == "02:00:00:00:00:11"
    assert (evidence["data"]["switch"], evidence["data"]["port"]) == ("Switch 1", "Gi1/0/17")


def test_an_event_without_host_or_executable_is_whole_too(office: Any) -> None:
    given = office.runs(1, kind=EventKind.PAUSED, sha="")
    bare = replace(alert(office, [given]), places=(), program=None)
    data = json.loads(detection_finding(bare))
    assert REQUIRED[""] <= set(data)
    assert "device" not in data
    assert "evidences" not in data


def test_it_is_one_line(office: Any) -> None:
    given = alert(office, [office.runs(1, name=HOSTILE, program=f"/tmp/{HOSTILE}")])
    assert b"\n" not in detection_finding(given)
