"""An alert as an OCSF event: class Detection Finding (2004) of schema 1.4.0, with the profile `host`.

Guarantees: pure; every attribute the class requires is there, nothing is there that the class does not have, and what
we do not know is left out. All messages about one executable share `finding_info.uid`: the first is a *Create*, those
that follow are an *Update*. Times are milliseconds since the Unix epoch (OCSF `timestamp_t`).

What OCSF has no attribute for (switch, port, parents, what was done) stands in `evidences[].data`.
"""

from typing import Any, Final

import msgspec

from api.alerts.content import Alert, Place, Program
from api.alerts.render import subject
from radius_policy.model import Severity

SCHEMA: Final = "1.4.0"
FINDINGS: Final = 2
DETECTION_FINDING: Final = 2004
CREATE, UPDATE = 1, 2
SEVERITY: Final = {Severity.INFO: 1, Severity.WARNING: 3, Severity.URGENT: 5}
"""Informational, Medium, Critical."""
_SHA256: Final = 3
_REGULAR_FILE: Final = 1
_UNKNOWN: Final = 0
_NEW: Final = 1


class _Object(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is None or empty is left out."""


class Product(_Object, frozen=True):
    name: str = msgspec.field()
    vendor_name: str = msgspec.field()


class Metadata(_Object, frozen=True):
    version: str = msgspec.field()
    product: Product = msgspec.field()
    uid: str = ""
    event_code: str = ""
    profiles: tuple[str, ...] = ()


class Fingerprint(_Object, frozen=True):
    algorithm_id: int = msgspec.field()
    value: str = msgspec.field()


class File(_Object, frozen=True):
    name: str = msgspec.field()
    type_id: int = msgspec.field()
    path: str = ""
    size: int | None = None
    hashes: tuple[Fingerprint, ...] = ()
    company_name: str = ""


class User(_Object, frozen=True):
    name: str = msgspec.field()


class NetworkInterface(_Object, frozen=True):
    type_id: int = msgspec.field()
    mac: str = msgspec.field()


class Device(_Object, frozen=True):
    uid: str = msgspec.field()
    type_id: int = msgspec.field()
    hostname: str = ""
    mac: str = ""
    network_interfaces: tuple[NetworkInterface, ...] = ()


class Evidence(_Object, frozen=True):
    data: dict[str, Any] = msgspec.field()
    device: Device | None = None
    file: File | None = None
    user: User | None = None


class FindingInfo(_Object, frozen=True):
    uid: str = msgspec.field()
    title: str = msgspec.field()
    desc: str = ""
    types: tuple[str, ...] = ()
    first_seen_time: int | None = None
    last_seen_time: int | None = None
    src_url: str = ""


class DetectionFinding(_Object, frozen=True):
    activity_id: int = msgspec.field()
    category_uid: int = msgspec.field()
    class_uid: int = msgspec.field()
    type_uid: int = msgspec.field()
    severity_id: int = msgspec.field()
    time: int = msgspec.field()
    metadata: Metadata = msgspec.field()
    finding_info: FindingInfo = msgspec.field()
    message: str = ""
    status_id: int | None = None
    is_alert: bool | None = None
    count: int | None = None
    device: Device | None = None
    evidences: tuple[Evidence, ...] = ()
    unmapped: dict[str, Any] = {}


def detection_finding(alert: Alert) -> bytes:
    """The event as one line of JSON."""
    activity = UPDATE if alert.number > 1 or alert.update else CREATE
    devices = [_device(place) for place in alert.places]
    unmapped = {"further_hosts": list(alert.further)} if alert.further else {}
    finding = DetectionFinding(
        activity_id=activity,
        category_uid=FINDINGS,
        class_uid=DETECTION_FINDING,
        type_uid=DETECTION_FINDING * 100 + activity,
        severity_id=SEVERITY[alert.severity],
        time=alert.at // 1000,
        metadata=Metadata(
            version=SCHEMA,
            product=Product(name="Pratique", vendor_name="Pratique"),
            uid=alert.message_id,
            event_code=str(alert.kind),
            profiles=("host",),
        ),
        finding_info=FindingInfo(
            uid=alert.conversation,
            title=subject(alert),
            desc="\n".join(alert.texts),
            types=(str(alert.kind),),
            first_seen_time=_millis(alert.program.first_seen) if alert.program else None,
            last_seen_time=_millis(max((place.at for place in alert.places if place.at), default=None)),
            src_url=alert.program.link if alert.program else alert.console,
        ),
        message=alert.texts[0] if alert.texts else alert.title,
        status_id=_NEW,
        is_alert=alert.severity >= Severity.WARNING,
        count=max(1, alert.hosts),
        device=devices[0] if devices else None,
        evidences=tuple(
            _evidence(place, device, alert.program) for place, device in zip(alert.places, devices, strict=True)
        ),
        unmapped=unmapped,
    )
    return msgspec.json.encode(finding)


def _device(place: Place) -> Device:
    return Device(
        uid=place.host_id,
        type_id=_UNKNOWN,
        hostname=place.host,
        mac=place.macs[0] if place.macs else "",
        network_interfaces=tuple(NetworkInterface(type_id=_UNKNOWN, mac=mac) for mac in place.macs),
    )


def _evidence(place: Place, device: Device, program: Program | None) -> Evidence:
    return Evidence(
        data={
            "site": place.site,
            "switch": place.switch,
            "port": place.port,
            "parents": list(place.parents),
            "posture": place.posture,
            "access": place.access,
            "done": place.done,
        },
        device=device,
        file=_file(place, program) if program else None,
        user=User(name=place.user) if place.user else None,
    )


def _file(place: Place, program: Program) -> File:
    return File(
        name=program.name,
        type_id=_REGULAR_FILE,
        path=place.path,
        size=program.size,
        hashes=(Fingerprint(algorithm_id=_SHA256, value=program.sha256),),
        company_name=program.signer,
    )


def _millis(at: int | None) -> int | None:
    return at // 1000 if at is not None else None
