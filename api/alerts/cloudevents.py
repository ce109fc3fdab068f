"""An alert as a CloudEvent (CloudEvents 1.0.2, JSON event format 1.0.2, structured mode).

Guarantees: pure; `id` is the message's own and stays the same when a message is sent again, so (`source`, `id`) tells a
receiver what it has already (CloudEvents 3.1.1). `data` is `plain.plain`.
"""

from typing import Any, Final

import msgspec

from api import words
from api.alerts.content import Alert
from api.alerts.plain import plain

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=False):
    """The envelope: required attributes (3.1), then the optional ones that we set."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: dict[str, Any]
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


def cloud_event(alert: Alert) -> bytes:
    """The body. `source` is the console's address, `subject` the executable's hash or what else the alert is about."""
    event = CloudEvent(
        id=alert.message_id,
        source=alert.console or "urn:pratique",
        type="pratique.digest" if alert.digest else f"pratique.alert.{alert.kind}",
        subject=alert.program.sha256 if alert.program else alert.topic,
        time=words.iso(alert.at),
        data=plain(alert),
    )
    return msgspec.json.encode(event)
