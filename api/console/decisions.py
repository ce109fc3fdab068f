"""What a person can decide in the console, shown before it is done: whom it touches and what follows.

Guarantees: a preview reads and changes nothing; the words of each deed stand in one table.
"""

from dataclasses import dataclass
from typing import Final

from api import words
from api.auth.roles import Identity, Role
from api.console.queries.common import HostLine, host_lines, standings
from api.errors import NotFound
from radius_policy.model import Executable, Host, HostExecutable, Micros, PostureReason
from radius_policy.store.interface import Reading

NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Deed:
    """How a deed is worded. `tone` colours the button; `effect` says what follows, with `{hosts}` for whom."""

    verb: str
    button: str
    effect: str
    tone: str


LIST_DEEDS: Final[dict[str, Deed]] = {
    "allow": Deed(
        "Allow",
        "Allow it",
        "It becomes allowed on every endpoint of the scope. {hosts} lose this reason; those without another one go back to production.",
        "good",
    ),
    "deny": Deed(
        "Deny",
        "Deny it",
        "It is refused from now on. {hosts} that ran it become compromised and are moved, as far as the breaker allows.",
        "bad",
    ),
}
HOST_DEEDS: Final[dict[str, Deed]] = {
    "release": Deed(
        "Release",
        "Release the host",
        "It goes back to production and stays there until there is a new reason. Its open reasons stay listed.",
        "good",
    ),
    "clear": Deed(
        "Clear",
        "Clear the host",
        "You looked at it and found it well: reasons older than now end, and it goes back to production.",
        "good",
    ),
    "quarantine": Deed(
        "Quarantine",
        "Quarantine the host",
        "It is moved to remediation and stays there until you release it. This passes breaker and pause, not the never-quarantine list.",
        "bad",
    ),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What is asked. `may` says whether this person may do it, `why_not` what is missing otherwise; `spared`
    are hosts (name, reason) that it leaves as they are."""

    deed: str
    verb: str
    button: str
    tone: str
    subject: str
    subject_detail: str
    back: str
    effect: str
    state: str
    touched: tuple[HostLine, ...]
    total: int
    scopes: tuple[tuple[str, str], ...]
    may: bool
    why_not: str
    spared: tuple[tuple[str, str], ...] = ()


def list_preview(reading: Reading, *, who: Identity, sha256: str, deed: str, now: Micros) -> Preview:
    """Raises NotFound."""
    executable = reading.get(Executable, who.tenant, sha256)
    if executable is None:
        raise NotFound("no host has reported an executable of this hash")
    words_of = LIST_DEEDS[deed]
    if deed == "allow":
        total = reading.count(PostureReason, tenant=who.tenant, key=sha256)
        ids = [r.host_id for r in reading.find(PostureReason, tenant=who.tenant, key=sha256, limit=NAMED)]
    else:
        total = reading.count(HostExecutable, tenant=who.tenant, sha256=sha256)
        found = reading.find(HostExecutable, tenant=who.tenant, sha256=sha256, order="first", limit=NAMED)
        ids = [sighting.host_id for sighting in found]
    touched = tuple(line for line in host_lines(reading, who.tenant, ids).values() if who.sees(line.site))
    standing = standings(reading, who.tenant, [sha256], now)[sha256]
    scopes = [("fleet", "the whole fleet")] if not who.sites else []
    scopes += [(f"site:{site}", f"site {site}") for site in sorted({*who.sites, *(line.site for line in touched)})]
    return Preview(
        deed,
        words_of.verb,
        words_of.button,
        words_of.tone,
        words.visible(words.base_name(executable.name)) or "without a name",
        sha256,
        f"executables/{sha256}",
        words_of.effect.format(hosts=words.count(total, "host")),
        f"{standing.word}, {standing.text}",
        touched,
        total,
        tuple(scopes),
        *_may(who, None if not who.sites else who.sites[0]),
    )


def host_preview(reading: Reading, *, who: Identity, host_id: str, deed: str, now: Micros) -> Preview:
    """Raises NotFound."""
    host = reading.get(Host, who.tenant, host_id)
    if host is None or not who.sees(host.site):
        raise NotFound("there is no such host")
    words_of = HOST_DEEDS[deed]
    line = host_lines(reading, who.tenant, [host_id])[host_id]
    return Preview(
        deed,
        words_of.verb,
        words_of.button,
        words_of.tone,
        line.name,
        host_id,
        f"hosts/{host_id}",
        words_of.effect,
        f"{line.posture.replace('_', ' ')}, {line.done}",
        (line,),
        1,
        (),
        *_may(who, host.site),
    )


def _may(who: Identity, site: str | None) -> tuple[bool, str]:
    if who.may(Role.OPERATOR, site):
        return True, ""
    return False, f"Deciding needs the role operator; you are {who.role}. Ask somebody who has it."
