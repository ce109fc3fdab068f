"""How each fact that only the store knows is found out: one function for each, in one table.

Guarantees: a function reads what it needs and returns None where the store cannot tell. What a fact means stands in
`facts/table.py`; that every name here stands there too is tested.

What it does not do: it keeps nothing but the answers of one start, for which each function is asked at most once.
"""

from collections.abc import Callable
from typing import Final

from radius_policy.breaker import HOUR, MINUTE
from radius_policy.facts.places import place
from radius_policy.facts.table import Facts, Value
from radius_policy.judgement import inventory, precedents
from radius_policy.judgement.circumstances import Circumstances
from radius_policy.model import Host, HostExecutable, Micros, Pass, Precedent, Ring, VerdictWord

FRESH: Final = 2 * HOUR
FLEET: Final = "fleet"
_WORST: Final = {VerdictWord.ALLOWED: 0, VerdictWord.GRACED: 1, VerdictWord.UNKNOWN: 2, VerdictWord.DENIED: 3}

_TOLD: Final = (
    "hash", "path", "place", "user", "role", "never_signed", "same_home",
)  # fmt: skip
_DEPLOYMENT: Final = ("writer.chain_deployment", "writer.trust", "writer.trust_hours", "writer.trust_max_hosts")


def _told(prefix: str, name: str) -> Callable[[Circumstances], Value | None]:
    whole = f"{prefix}.{name}"
    return lambda of: of.program(prefix).get(whole)


def _verdict(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref = of.ref(prefix)
        return of.verdict_of(ref.sha256) if ref is not None else None

    return ask


def _proven(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref = of.ref(prefix)
        if ref is None or ref.sha256 is None:
            return None
        known = of.reading.get(HostExecutable, of.host.tenant, of.host.host_id, ref.sha256)
        if known is not None:
            proven = known.facts.get("provenance.proven")
            return bool(proven) if proven is not None else None
        return inventory.lists(of.reading, of.host.tenant, of.host.host_id, ref.sha256)

    return ask


def _same_signer(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref, signer = of.ref(prefix), of.signer
        content = of.content(ref.sha256) if ref is not None else None
        if content is None or signer is None:
            return None
        return content.signer == signer and content.signer_state == "valid"

    return ask


def _used(kind: str, prefix: str) -> Callable[[Circumstances], Value | None]:
    same = _same_signer(prefix)

    def ask(of: Circumstances) -> Value | None:
        ref, signer, sha = of.ref(prefix), of.signer, of.execution.sha256
        if signer is None or ref is None or ref.sha256 is None:
            return None
        if precedents.has(of.reading, of.host.tenant, kind, precedents.pair(signer, ref.sha256), but=sha):
            return True
        return same(of) is True and of.verdict_of(ref.sha256) is VerdictWord.ALLOWED

    return ask


def _signer_known(of: Circumstances) -> Value | None:
    signer = of.signer
    if signer is None:
        return None
    return precedents.has(of.reading, of.host.tenant, precedents.SIGNER, signer, but=of.execution.sha256)


def _signer_place(of: Circumstances) -> Value | None:
    signer = of.signer
    if signer is None:
        return None
    key = precedents.pair(signer, place(of.execution.path).root)
    return precedents.has(of.reading, of.host.tenant, precedents.SIGNER_PLACE, key, but=of.execution.sha256)


def _signer_lost(of: Circumstances) -> Value | None:
    if of.signer is not None:
        return False
    key = precedents.version_key(place(of.execution.path), None)
    return precedents.has(of.reading, of.host.tenant, precedents.SIGNED, key, but=of.execution.sha256)


def _previous(field_: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        found = of.version()
        return getattr(found, field_) if found is not None else None

    return ask


def _same_product(of: Circumstances) -> Value | None:
    found = of.version()
    if found is None or found.product is None or of.execution.product is None:
        return None
    return found.product == of.execution.product


def _inputs(of: Circumstances) -> Value | None:
    if not of.execution.made_from:
        return None
    words = [of.verdict_of(sha) for sha in of.execution.made_from]
    if None in words:
        return None
    return max((word for word in words if word is not None), key=lambda word: _WORST.get(word, 2))


def _family(name: str) -> Callable[[Circumstances], Value | None]:
    return lambda of: of.family().get(name)


def _deployment(name: str) -> Callable[[Circumstances], Value | None]:
    """A fact about the nearest deployment tool in the chain, which wrote the file itself or through a descendant."""

    return lambda of: of.deployment().get(name)


def _parents_verdicts(of: Circumstances) -> Value | None:
    words = [of.verdict_of(ref.sha256) for ref in of.execution.parents]
    return tuple(dict.fromkeys(str(word) for word in words if word is not None)) or None


def _parents_roles(of: Circumstances) -> Value | None:
    tools = [of.tool(ref.sha256) for ref in of.execution.parents]
    return tuple(dict.fromkeys(str(tool.role) for tool in tools if tool is not None)) or None


def _interpreter_verdict(of: Circumstances) -> Value | None:
    interpreter = of.execution.interpreter
    return of.verdict_of(interpreter.sha256) if interpreter is not None else None


def _host_age(of: Circumstances) -> Value | None:
    at = of.host.enrolled_at
    return (of.execution.started - at) / MINUTE if at else None


def _fresh_hosts(of: Circumstances) -> list[Host]:
    at, image = of.host.enrolled_at, of.host.image
    if not at or not image:
        return []
    around = of.reading.find(Host, tenant=of.host.tenant, site=of.host.site, order="enrolled_at", after=at - FRESH)
    return [
        each
        for each in around
        if each.image == image and each.enrolled_at < at + FRESH and each.host_id != of.host.host_id
    ]


def _fresh_peers(of: Circumstances) -> Value | None:
    return len(_fresh_hosts(of)) if of.host.enrolled_at and of.host.image else None


def _image_peers(of: Circumstances) -> Value | None:
    sha = of.execution.sha256
    if not of.host.image or sha is None:
        return None
    return inventory.listed_by(of.reading, of.host.tenant, sha, [each.host_id for each in _fresh_hosts(of)])


def _baseline_listed(of: Circumstances) -> Value | None:
    sha = of.execution.sha256
    listed = sha is not None and inventory.lists(of.reading, of.host.tenant, of.host.host_id, sha) is not None
    return listed or None


def _image_member(of: Circumstances) -> Value | None:
    if not of.host.image or of.execution.sha256 is None:
        return None
    key = precedents.pair(of.host.image, of.execution.sha256)
    return of.reading.get(Precedent, of.host.tenant, precedents.IMAGE, key) is not None


def _new_share(of: Circumstances) -> Value | None:
    known = of.reading.find(HostExecutable, tenant=of.host.tenant, host_id=of.host.host_id)
    entries, memo = of.policy.entries, of.policy.memo
    listed = {
        each.sha256
        for each in known
        if (entry := entries.get(each.rule)) is not None and entry.author == inventory.INVENTORY
    }
    every = {each.sha256 for each in known}
    if memo is not None:
        listed |= memo.listed.get(of.host.host_id, set())  # type: ignore[arg-type]
    return 1 - len(listed) / len(every | listed) if every or listed else None


def _shape(window: Micros) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        sha = of.execution.sha256
        if sha is None:
            return None
        after = of.now - window
        found = of.reading.find(HostExecutable, tenant=of.host.tenant, sha256=sha, order="first", after=after)
        return len(found)

    return ask


def _age(of: Circumstances) -> Value | None:
    return (of.now - of.executable.first_seen) / HOUR if of.executable is not None else None


def _ring(of: Circumstances) -> Ring | None:
    sha = of.execution.sha256
    return of.reading.get(Ring, of.host.tenant, sha) if sha is not None and of.executable is not None else None


def _pass(of: Circumstances) -> Value | None:
    found = of.reading.get(Pass, of.host.tenant, of.host.host_id, of.execution.sha256) if of.execution.sha256 else None
    return (of.now < found.until) if found is not None else None


def _site(of: Circumstances) -> str:
    return f"site:{of.host.site}"


FOUND: Final[dict[str, Callable[[Circumstances], Value | None]]] = {
    "family": _family("family"),
    "family.template": _family("family.template"),
    "made_by.template": _family("made_by.template"),
    "made_by.inputs": _inputs,
    "image.member": _image_member,
    "image.peers": _image_peers,
    "signer.known": _signer_known,
    "signer.used_place_before": _signer_place,
    "signer.used_parent_before": _used(precedents.SIGNER_PARENT, "parent"),
    "signer.used_writer_before": _used(precedents.SIGNER_WRITER, "writer"),
    "signer.lost": _signer_lost,
    "previous_version.verdict": _previous("verdict"),
    "previous_version.signer_state": _previous("signer_state"),
    "previous_version.same_product": _same_product,
    **{
        f"{prefix}.{name}": make(prefix)
        for prefix in ("writer", "parent")
        for name, make in (("verdict", _verdict), ("proven", _proven), ("same_signer", _same_signer))
    },
    **{f"{prefix}.{name}": _told(prefix, name) for prefix in ("writer", "parent") for name in _TOLD},
    **{name: _deployment(name) for name in _DEPLOYMENT},
    "parents.verdicts": _parents_verdicts,
    "parents.roles": _parents_roles,
    "interpreter.verdict": _interpreter_verdict,
    "host.age": _host_age,
    "host.fresh_peers": _fresh_peers,
    "host.new_share": _new_share,
    "host.baseline_listed": _baseline_listed,
    "prevalence.fleet.hosts": lambda of: of.hosts_elsewhere(FLEET),
    "prevalence.site.hosts": lambda of: of.hosts_elsewhere(_site(of)),
    "prevalence.last_10_minutes": _shape(10 * MINUTE),
    "prevalence.last_hour": _shape(HOUR),
    "age": _age,
    "ring.pilot.hosts": lambda of: len(ring.hosts) if (ring := _ring(of)) is not None else None,
    "ring.pilot.users": lambda of: len(ring.users) if (ring := _ring(of)) is not None else None,
    "ring.pilot.hours": lambda of: (of.now - ring.first) / HOUR if (ring := _ring(of)) is not None else None,
    "ring.pilot.incident": lambda of: ring.incident if (ring := _ring(of)) is not None else None,
    "maintenance.open": lambda of: of.policy.maintenance(of.host, of.now) or None,
    "pass.open": _pass,
}
"""How each fact that only the store knows is found out (facts.py says what it means)."""


class _StartFacts(Facts):
    """The facts of one start; those that cost something are found out when first read."""

    __slots__ = ("_of",)

    def __init__(self, of: Circumstances) -> None:
        dict.__init__(self, of.told())
        self._of = of

    def __missing__(self, name: str) -> Value | None:
        make = FOUND.get(name)
        value = self[name] = None if make is None else make(self._of)
        return value


def facts_of(around: Circumstances) -> Facts:
    """The facts of one start, the costly ones still unasked."""
    return _StartFacts(around)
