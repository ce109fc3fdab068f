"""The facts of one start as the store knows them: what `facts.py` names, filled in from a transaction.

Guarantees: facts that cost a query are asked only when a rule reaches them, each at most once; a fact that the store
cannot tell is missing, never guessed. A new start is judged with the content facts (signature, provenance) of the first
sighting on that host (tables.md, Edges).

What it does not do: it writes nothing and decides nothing.
"""

from collections.abc import Callable, Mapping
from typing import Final

from radius_policy import precedents, verdict
from radius_policy.breaker import HOUR, MINUTE
from radius_policy.facts import Facts, Value, of_deployment, of_execution, of_family, of_program, split_provenance
from radius_policy.grace import RuleSet
from radius_policy.model import (
    Executable,
    Execution,
    GraceSlot,
    Host,
    HostExecutable,
    ListEntry,
    ListKind,
    Micros,
    ParentRef,
    Prevalence,
    TenantId,
    ToolRole,
    Verdict,
    VerdictWord,
)
from radius_policy.places import place
from radius_policy.policy import Policy
from radius_policy.precedents import Pass, Ring
from radius_policy.roles import Tool
from radius_policy.store.interface import Reading

_NO_RULES: Final = RuleSet()
FRESH: Final = 2 * HOUR
FLEET: Final = "fleet"
CONTENT: Final = (
    "signer.state", "signer.name", "signer.certificate", "signer.seen", "product", "version", "provenance.source",
    "provenance.detail", "provenance.proven",
)  # fmt: skip
"""The facts about a content that the first sighting on a host fixes."""
_WORST: Final = {VerdictWord.ALLOWED: 0, VerdictWord.GRACED: 1, VerdictWord.UNKNOWN: 2, VerdictWord.DENIED: 3}


class Circumstances:
    """One start and what surrounds it. `before` is this executable on this host so far, `signer` the name of its signer
    where the signature is valid."""

    __slots__ = (
        "_prevalence", "_programs", "_verdicts", "_version", "before", "executable", "execution", "host", "now", "policy",
        "reading", "signer",
    )  # fmt: skip

    def __init__(
        self,
        reading: Reading,
        policy: Policy,
        execution: Execution,
        host: Host,
        now: Micros,
        executable: Executable | None = None,
        before: HostExecutable | None = None,
    ) -> None:
        self.reading, self.policy, self.execution, self.host, self.now = reading, policy, execution, host, now
        self.executable, self.before = executable, before
        self.signer = self._valid_signer()
        self._version: tuple[precedents.Precedent | None, ...] = ()
        self._prevalence: dict[str, Prevalence | None] = {}
        self._verdicts: dict[str, VerdictWord | None] = {}
        self._programs: dict[str, dict[str, Value | None]] = {}

    def facts(self) -> Facts:
        """The facts, the costly ones still unasked."""
        execution, policy = self.execution, self.policy
        known = of_execution(execution, self.host, zone=policy.zone)
        known["signer.seen"] = execution.signer_state is not None and execution.signer_state != "unsigned"
        if self.before is not None:
            known.update({name: self.before.facts.get(name) for name in CONTENT})  # type: ignore[misc]
        if execution.in_transaction is not None:
            known["writer.in_transaction"] = execution.in_transaction
        if policy.replay or policy.loading:
            known["replay"] = True
        return _StartFacts(known, self)

    def content_facts(self) -> dict[str, object]:
        """What of this start's report is kept for later starts on this host."""
        execution = self.execution
        source, detail = split_provenance(execution.provenance)
        facts = {
            "signer.state": execution.signer_state,
            "signer.name": execution.signer,
            "signer.certificate": execution.certificate,
            "signer.seen": execution.signer_state is not None and execution.signer_state != "unsigned",
            "product": execution.product,
            "version": execution.version,
            "provenance.source": source,
            "provenance.detail": detail,
            "provenance.proven": execution.proven,
        }
        return {name: value for name, value in facts.items() if value is not None}

    def program(self, prefix: str) -> dict[str, Value | None]:
        """What the report and the inventory tell of the writer or the parent; {} where there is none."""
        facts = self._programs.get(prefix)
        if facts is None:
            ref = _ref(self, prefix)
            facts = self._programs[prefix] = {} if ref is None else self._program(prefix, ref)
        return facts

    def deployment(self) -> dict[str, Value | None]:
        """What is known of the nearest deployment tool that wrote the file, itself or through a descendant."""
        facts = self._programs.get("deployment")
        if facts is None:
            writer, tools = self.execution.writer, self.policy.tools
            chain = self.execution.parents if writer is None else (writer, *self.execution.parents)
            facts = {"writer.chain_deployment": False} if chain else {}
            for ref in chain:
                tool = tools.get(ref.sha256) if ref.sha256 is not None else None
                if tool is not None and tool.role is ToolRole.DEPLOYMENT:
                    facts = of_deployment(tool)
                    break
            self._programs["deployment"] = facts
        return facts

    def version(self) -> precedents.Precedent | None:
        """The best earlier version at this place, by the same signer where this one is signed."""
        if not self._version:
            here, sha = place(self.execution.path), self.execution.sha256
            self._version = (precedents.version_before(self.reading, self.host.tenant, here, self.signer, sha),)
        return self._version[0]

    def family(self) -> dict[str, Value | None]:
        """The family that this start's file belongs to by its maker; {} where it belongs to none."""
        writer = self.execution.writer
        if writer is None or (tool := self.tool(writer.sha256)) is None:
            return {}
        return of_family(self.execution.path, tool, inputs=self.execution.made_from, template=self.execution.template)

    def tool(self, sha256: str | None) -> Tool | None:
        return self.policy.tools.get(sha256) if sha256 is not None else None

    def verdict_of(self, sha256: str | None) -> VerdictWord | None:
        """The verdict on another program, on this host, as of now; None where nothing is known of it."""
        if sha256 is None:
            return None
        if sha256 not in self._verdicts:
            self._verdicts[sha256] = self._verdict_of(sha256)
        return self._verdicts[sha256]

    def prevalence(self, scope: str) -> Prevalence | None:
        sha = self.execution.sha256
        if scope not in self._prevalence:
            nowhere = sha is None or self.executable is None  # a content without a record was never sighted
            known = None if nowhere else self.reading.get(Prevalence, self.host.tenant, sha, scope)
            self._prevalence[scope] = known
        return self._prevalence[scope]

    def hosts_elsewhere(self, scope: str) -> int:
        """On how many hosts of `scope` it was sighted, this one not counted."""
        found = self.prevalence(scope)
        return 0 if found is None else found.hosts - (0 if self.before is None else 1)

    def _valid_signer(self) -> str | None:
        if self.before is not None:
            facts = self.before.facts
            name = facts.get("signer.name")
            return str(name) if name is not None and facts.get("signer.state") == "valid" else None
        return self.execution.signer if self.execution.signer_state == "valid" else None

    def content(self, sha256: str | None) -> Executable | None:
        """What is known of another content: its signer above all."""
        return self.reading.get(Executable, self.host.tenant, sha256) if sha256 is not None else None

    def _verdict_of(self, sha256: str) -> VerdictWord | None:
        if self.policy.plainly_allows(sha256, self.now) is not None:
            return VerdictWord.ALLOWED
        known = self.reading.get(HostExecutable, self.host.tenant, self.host.host_id, sha256)
        listed = listed_verdict(self.policy, content_facts(sha256, self.host, known), self.now)
        if listed is not None:
            return listed.word
        if known is None:
            return None
        if known.verdict is VerdictWord.GRACED and grace_over(self.reading, self.policy, known, self.now):
            return VerdictWord.UNKNOWN
        # What a list said then and says no more is judged anew at its own next start.
        return VerdictWord.UNKNOWN if known.verdict is VerdictWord.DENIED else known.verdict

    def _program(self, prefix: str, ref: ParentRef) -> dict[str, Value | None]:
        facts = of_program(prefix, ref.path, ref.sha256, self.tool(ref.sha256), file_path=self.execution.path)
        facts[f"{prefix}.user"] = ref.user
        return facts


def content_facts(sha256: str, host: Host, known: HostExecutable | None) -> Facts:
    """The facts about a content on a host without a start: what lists and proofs look at, as of its sighting."""
    facts: Facts = Facts()
    facts.update({"hash": sha256, "host.id": host.host_id, "host.site": host.site, "host.groups": host.groups})
    if known is not None:
        facts.update({name: known.facts.get(name) for name in CONTENT})  # type: ignore[misc]
    return facts


def listed_verdict(policy: Policy, facts: Facts, now: Micros) -> Verdict | None:
    """Rows 1 to 4 of the verdict table for a content: lists, reference sets and proofs; None where they say nothing."""
    found = verdict.judge(facts, policy.lists, _NO_RULES, now)
    return None if found.word is VerdictWord.UNKNOWN else found


def grace_over(reading: Reading, policy: Policy, known: HostExecutable, now: Micros) -> bool:
    """Whether the grace that a host had for an executable has ended."""
    slot = reading.get(GraceSlot, policy.tenant, known.rule, known.sha256, known.host_id)
    return slot is None or slot.until <= now


class _StartFacts(Facts):
    """The facts of one start; those that cost something are found out when first read."""

    __slots__ = ("_of",)

    def __init__(self, known: Mapping[str, Value | None], of: Circumstances) -> None:
        super().__init__(known)
        self._of = of

    def __missing__(self, name: str) -> Value | None:
        make = LATER.get(name)
        value = self[name] = None if make is None else make(self._of)
        return value


class SlotsOf:
    """The uses of a grace of one executable as rules ask for them."""

    __slots__ = ("_host_id", "_reading", "_sha256", "_tenant", "first", "taken")

    def __init__(self, reading: Reading, tenant: TenantId, host_id: str, sha256: str) -> None:
        self._reading, self._tenant, self._host_id, self._sha256 = reading, tenant, host_id, sha256
        self.taken: GraceSlot | None = None
        self.first = False

    def until(self, rule: str) -> Micros | None:
        self.taken = self._reading.get(GraceSlot, self._tenant, rule, self._sha256, self._host_id)
        return self.taken.until if self.taken is not None else None

    def used(self, rule: str) -> int:
        used = self._reading.count(GraceSlot, tenant=self._tenant, rule=rule, sha256=self._sha256)
        self.first = used == 0
        return used


# --- the facts that cost something --------------------------------------------------------------------------------


def _ref(of: Circumstances, prefix: str) -> ParentRef | None:
    if prefix == "writer":
        return of.execution.writer
    return of.execution.parents[0] if of.execution.parents else None


_TOLD: Final = (
    "hash", "path", "place", "user", "role", "never_signed", "same_home",
)  # fmt: skip
_DEPLOYMENT: Final = ("writer.chain_deployment", "writer.trust", "writer.trust_hours", "writer.trust_max_hosts")


def _told(prefix: str, name: str) -> Callable[[Circumstances], Value | None]:
    whole = f"{prefix}.{name}"
    return lambda of: of.program(prefix).get(whole)


def _verdict(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref = _ref(of, prefix)
        return of.verdict_of(ref.sha256) if ref is not None else None

    return ask


def _proven(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref = _ref(of, prefix)
        if ref is None or ref.sha256 is None:
            return None
        known = of.reading.get(HostExecutable, of.host.tenant, of.host.host_id, ref.sha256)
        if known is not None:
            proven = known.facts.get("provenance.proven")
            return bool(proven) if proven is not None else None
        return _inventory_proves(of, ref.sha256)

    return ask


def _inventory_proves(of: Circumstances, sha256: str) -> bool | None:
    lines = of.reading.find(ListEntry, tenant=of.host.tenant, kind=ListKind.HASH, value=sha256)
    scan = f"host:{of.host.host_id}"
    proofs = [line.why == "proven" for line in lines if line.author == "inventory" and line.scope in ("fleet", scan)]
    return any(proofs) if proofs else None


def _same_signer(prefix: str) -> Callable[[Circumstances], Value | None]:
    def ask(of: Circumstances) -> Value | None:
        ref, signer = _ref(of, prefix), of.signer
        content = of.content(ref.sha256) if ref is not None else None
        if content is None or signer is None:
            return None
        return content.signer == signer and content.signer_state == "valid"

    return ask


def _used(kind: str, prefix: str) -> Callable[[Circumstances], Value | None]:
    same = _same_signer(prefix)

    def ask(of: Circumstances) -> Value | None:
        ref, signer, sha = _ref(of, prefix), of.signer, of.execution.sha256
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


def _listing_hosts(of: Circumstances) -> set[str]:
    sha = of.execution.sha256
    lines = of.reading.find(ListEntry, tenant=of.host.tenant, kind=ListKind.HASH, value=sha) if sha else []
    return {
        line.scope.removeprefix("host:") for line in lines if line.author == "inventory" and line.scope[:5] == "host:"
    }


def _image_peers(of: Circumstances) -> Value | None:
    listing = _listing_hosts(of)
    return sum(each.host_id in listing for each in _fresh_hosts(of)) if of.host.image else None


def _baseline_listed(of: Circumstances) -> Value | None:
    return of.host.host_id in _listing_hosts(of) or None


def _image_member(of: Circumstances) -> Value | None:
    if not of.host.image or of.execution.sha256 is None:
        return None
    key = precedents.pair(of.host.image, of.execution.sha256)
    return of.reading.get(precedents.Precedent, of.host.tenant, precedents.IMAGE, key) is not None


def _new_share(of: Circumstances) -> Value | None:
    known = of.reading.find(HostExecutable, tenant=of.host.tenant, host_id=of.host.host_id)
    entries, memo = of.policy.entries, of.policy.memo
    listed = {
        each.sha256 for each in known if (entry := entries.get(each.rule)) is not None and entry.author == "inventory"
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


LATER: Final[dict[str, Callable[[Circumstances], Value | None]]] = {
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
