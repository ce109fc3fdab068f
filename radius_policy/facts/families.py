"""Families: executables that differ per machine by construction, known by what made them from what.

A family has a key that names its template, its maker (by hash) and its inputs, or, where inputs are not told, the
normalised place its template writes to. Members are counted as one in alerts and breaker. Being a member trusts
nothing: verdict row 4 asks in addition for an allowed maker and for inputs that are *all* allowed or proven, and a
grace rule for a maker that is. The name of a file never makes it a member: the same name by another maker is none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from radius_policy.facts.places import Place
from radius_policy.model import Tool


@dataclass(frozen=True, slots=True)
class Template:
    """`places` is what a member's normalised folder must match, `needs_content` asks that the agent compared the
    content with the fixed template (PowerShell's policy probe), `host_only` that a member is good on its host only."""

    name: str
    places: re.Pattern[str]
    needs_content: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """`key` is the same for all members; `template` names the row of `TEMPLATES`."""

    key: str
    template: str


TEMPLATES: Final[dict[str, Template]] = {
    t.name: t
    for t in (
        Template(
            "native-image",
            re.compile(r"^[a-z]:\\windows\\assembly\\nativeimages(?:_[^\\]+)?\\[^\\]+\\\*$|/nativeimages/"),
        ),
        Template(
            "kernel-module", re.compile(r"^/(?:usr/)?lib/modules/[^/]+/(?:updates|extra)(?:/dkms)?$|^/var/lib/dkms/")
        ),
        Template("policy-probe", re.compile(r"[\\/]te?mp$"), needs_content=True),
        Template("launcher", re.compile(r"[\\/](?:scripts|bin)$")),
    )
}
"""What makers of each template write, and where. `launcher` has no maker of its own: it needs its inputs."""


def family_of(
    place: Place, maker: Tool | None, *, inputs: Iterable[str] = (), template: str | None = None
) -> Family | None:
    """The family of a file that `maker` (an inventoried tool) wrote, or None. `inputs` are SHA-256 of what it was
    made from, `template` the content template that the agent found it to match, where it compared."""
    if maker is None:
        return None
    named = tuple(sorted(inputs))
    row = TEMPLATES.get(maker.makes or ("launcher" if named else ""))
    if row is None or not row.places.search(place.root) or (row.needs_content and template != row.name):
        return None
    source = sha256("\n".join(named).encode()).hexdigest()[:16] if named else place.root
    return Family(f"{row.name}:{maker.sha256[:16]}:{source}", row.name)
