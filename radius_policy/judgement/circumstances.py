"""The facts of one start as the store knows them: what `facts/table.py` names, filled in from a transaction.

Guarantees: facts that cost a query are asked only when a rule reaches them, each at most once; a fact that the store
cannot tell is missing, never guessed. A new start is judged with the content facts (signature, provenance) of the first
sighting on that host (tables.md, Edges).

What it does not do: it writes nothing and decides nothing. `found_facts.py` stands on this and finds each costly fact.
"""

from typing import Final

from radius_policy import verdict
from radius_policy.facts.places import place
from radius_policy.facts.table import Facts, Value, of_deployment, of_execution, of_family, of_program, split_provenance
from radius_policy.grace import RuleSet
from radius_policy.judgement import precedents
from radius_policy.judgement.policy import Policy
from radius_policy.model import (
    Executable,
    Execution,
    GraceSlot,
    Host,
    HostExecutable,
    Micros,
    ParentRef,
    Precedent,
    Prevalence,
    TenantId,
    Tool,
    ToolRole,
    Verdict,
    VerdictWord,
)
from radius_policy.store.interface import Reading

_NO_RULES: Final = RuleSet()
CONTENT: Final = (
    "signer.state", "signer.name", "signer.certificate", "signer.seen", "product", "version", "provenance.source",
    "provenance.detail", "provenance.proven",
)  # fmt: skip
"""The facts about a content that the first sighting on a host fixes."""


class Circumstances:
    """One start and what surrounds it. `before` is this executable on this host so far, `signer` the name of its signer
    where the signature is valid."""

    __slots__ = (
        "_prevalence", "_programs", "_told", "_verdicts", "_version", "before", "executable", "execution", "host", "now", "policy",
        "reading", "signer",
    )  # fmt: skip

    reading: Reading
    policy: Policy
    execution: Execution
    host: Host
    now: Micros
    executable: Executable | None
    before: HostExecutable | None
    signer: str | None

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
        self._told: dict[str, Value | None] | None = None
        self._version: tuple[Precedent | None, ...] = ()
        self._prevalence: dict[str, Prevalence | None] = {}
        self._verdicts: dict[str, VerdictWord | None] = {}
        self._programs: dict[str, dict[str, Value | None]] = {}

    def told(self) -> dict[str, Value | None]:
        """The facts that cost no question to the store (`found_facts.facts_of` has all of them)."""
        execution, policy = self.execution, self.policy
        known = of_execution(execution, self.host, zone=policy.zone)
        known["signer.seen"] = execution.signer_state is not None and execution.signer_state != "unsigned"
        if self.before is not None:
            known.update({name: self.before.facts.get(name) for name in CONTENT})  # type: ignore[misc]
        if execution.in_transaction is not None:
            known["writer.in_transaction"] = execution.in_transaction
        if policy.replay or policy.loading:
            known["replay"] = True
        self._told = known  # not the facts themselves: they hold this, and a circle waits for the garbage collection
        return known

    def content_facts(self) -> dict[str, object]:
        """What of this start's report is kept for later starts on this host."""
        if self._told is not None and self.before is None:
            told = self._told
            return {name: value for name in CONTENT if (value := told[name]) is not None}
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

    def ref(self, prefix: str) -> ParentRef | None:
        """The `writer` or the `parent` as the endpoint named it."""
        if prefix == "writer":
            return self.execution.writer
        return self.execution.parents[0] if self.execution.parents else None

    def program(self, prefix: str) -> dict[str, Value | None]:
        """What the report and the inventory tell of the writer or the parent; {} where there is none."""
        facts = self._programs.get(prefix)
        if facts is None:
            ref = self.ref(prefix)
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

    def version(self) -> Precedent | None:
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
