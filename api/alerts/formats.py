"""The forms in which a channel for programs writes an alert, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from api.alerts import cloudevents, ocsf
from api.alerts.content import Alert

Format = Literal["cloudevents", "ocsf"]


@dataclass(frozen=True, slots=True)
class Form:
    """`write` gives one line of JSON; `media_type` is its HTTP Content-Type."""

    media_type: str
    write: Callable[[Alert], bytes]


FORMS: Final[Mapping[Format, Form]] = {
    "cloudevents": Form(cloudevents.MEDIA_TYPE, cloudevents.cloud_event),
    "ocsf": Form("application/json; charset=utf-8", ocsf.detection_finding),
}
