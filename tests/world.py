"""A small site in memory, told what happens: the language of the judgement tests."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from radius_policy import judgement
from radius_policy.facts.places import place
from radius_policy.grace import RuleSet
from radius_policy.judgement import Decision, Preview, Recomputed, inventory
from radius_policy.judgement.decisions import Removal
from radius_policy.judgement.policy import Policy
from radius_policy.judgement.precedents import Deed, remember
from radius_policy.model import (
    DEFAULT_TENANT,
    SECOND,
    Access,
    BreakerPlace,
    BreakerTrip,
    Event,
    Execution,
    Host,
    HostId,
    HostState,
    ListEntry,
    Listing,
    ListKind,
    Mac,
    MacBinding,
    Operation,
    Order,
    ParentRef,
    Posture,
    PostureReason,
    Session,
    Setting,
    Sha256,
    Tool,
    VerdictWord,
)
from radius_policy.store.memory import MemoryStore

T = DEFAULT_TENANT
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
START = 1_764_000_000 * SECOND
CASES = {
    "executable": {"number": 3, "percent": 100},
    "site": {"number": 10, "percent": 100, "window_s": 600},
    "fleet": {"number": 1000, "percent": 100},
    "tenant": {"number": 1000, "percent": 100},
}
"""The limits of the judgement cases: 3 hosts per hash, 10 per site in 10 minutes."""


def sha(name: str) -> Sha256:
    """A hash that is the same for a name."""
    return Sha256(sha256(name.encode()).hexdigest())


class World:
    """One site. Times are microseconds; `at` moves forward when told so, and by a millisecond with each start."""

    def __init__(
        self,
        mode: str = "enforce",
        *,
        limits: dict[str, Any] | None = None,
        rules: RuleSet | None = None,
        **settings: Any,
    ) -> None:
        self.store = MemoryStore()
        self.now = START
        self.rules = rules
        self.starts = 0
        self.lists = 0
        self.proven: list[Sha256] = []
        self.put(
            Setting(T, "mode", {"default": mode}, 1, "test", START),
            Setting(T, "breaker", CASES if limits is None else limits, 1, "test", START),
            *(Setting(T, name, value, 1, "test", START) for name, value in settings.items()),
        )

    # --- what there is -----------------------------------------------------------------------------------------

    def put(self, *records: Any) -> None:
        with self.store.transaction() as tx:
            tx.put(*records)

    def host(self, name: str, **more: Any) -> HostId:
        """An enrolled endpoint with one MAC and one session in production."""
        host_id = HostId(name)
        mac = Mac("02:" + ":".join(sha(name)[n : n + 2] for n in range(0, 10, 2)))
        self.put(
            Host(
                T,
                host_id,
                name,
                **{"public_key": b"k" * 32, "enrolled_at": START - 90 * DAY, "last_evidence": START, **more},
            ),
            MacBinding(T, mac, host_id, START, START),
            Session(T, "nas", name.encode(), mac, started=START, access=Access.PRODUCTION, generation=0),
        )
        with self.store.transaction() as tx:
            judgement.refresh(tx, T, host_id, now=self.now, policy=self.policy)
        if self.proven:
            self._list(host_id, self.proven)
        return host_id

    def _list(self, host_id: HostId, shas: list[Sha256]) -> None:
        """The scan of a host lists these as owned by its packages."""
        parts: dict[int, dict[bytes, bool]] = {}
        for each in shas:
            parts.setdefault(inventory.part_of(each), {})[bytes.fromhex(each)] = True
        with self.store.transaction() as tx:
            for part, proofs in parts.items():
                before = tx.get(Listing, T, host_id, part)
                kept = {} if before is None else dict(inventory.proofs(before.lines))
                tx.put(inventory.listing(T, host_id, part, {**kept, **proofs}))

    def hosts(self, count: int, prefix: str = "pc", **more: Any) -> list[HostId]:
        return [self.host(f"{prefix}{n:03d}", **more) for n in range(1, count + 1)]

    def inventory(self, path: str, *, signer: str | None = None, role: str = "", **tool: Any) -> ParentRef:
        """An allowed program of the inventory, proven on every host, with a tool role where one is named; as a parent or
        writer of others."""
        name = sha(path + (signer or ""))
        self.put(
            ListEntry(
                T, f"inv-{name[:12]}", "allow", ListKind.HASH, name, author="inventory", created=START, proven=True
            )
        )
        self.proven.append(name)
        for host in self.store.reading().find(Host, tenant=T):
            self._list(host.host_id, [name])
        from radius_policy.model import Executable

        state = "valid" if signer else None
        self.put(Executable(T, name, signer=signer, signer_state=state, first_seen=START - 90 * DAY))
        with self.store.transaction() as tx:
            remember(tx, Deed(T, name, place(path), START, VerdictWord.ALLOWED, signer, state))
        if role:
            from radius_policy.facts import places
            from radius_policy.model import ToolRole

            own = places.home(path)
            home = places.root_of(own) if own else ""
            self.put(Tool(T, name, ToolRole(role), place(path).name, home, confirmed=True, **tool))
        return ParentRef(path, name)

    @property
    def policy(self) -> Policy:
        policy = Policy.load(self.store.reading(), T)
        return policy if self.rules is None else replace(policy, rules=self.rules)

    # --- what happens ------------------------------------------------------------------------------------------

    def later(self, micros: int) -> None:
        self.now += micros

    def start(
        self, host: str, what: str, path: str = r"C:\Users\ann\Downloads\tool.exe", *, held: bool = True,
        began: int | None = None, parent: ParentRef | None = None, writer: ParentRef | None = None, id: str = "", **more: Any,
    ) -> Decision:  # fmt: skip
        """A start of the program called `what` on a host, reported at once unless `began` says when it was."""
        self.starts += 1
        self.now += 1000
        execution = Execution(
            T, id or f"start-{self.starts:06d}", HostId(host), sha(what) if what else None, path, 4711,
            self.now if began is None else began, self.now, held=held,
            parents=(parent,) if parent is not None else (), writer=writer, **more,
        )  # fmt: skip
        with self.store.transaction() as tx:
            return judgement.record(tx, execution, now=self.now, policy=self.policy)

    def allow(self, what: str, **more: Any) -> Recomputed:
        return self.decide("allow", ListKind.HASH, sha(what), **more)

    def deny(self, what: str, **more: Any) -> Recomputed:
        return self.decide("deny", ListKind.HASH, sha(what), **more)

    def decide(self, action: str, kind: ListKind, value: str, **more: Any) -> Recomputed:
        """A person's list entry and all that follows from it."""
        self.lists += 1
        self.now += 1000
        entry = ListEntry(T, f"entry-{self.lists}", action, kind, value, author="ann", created=self.now, **more)
        return self._carried_out(entry)

    def withdraw_entry(self, number: int | None = None) -> Recomputed:
        self.now += 1000
        return self._carried_out(Removal(T, f"entry-{number or self.lists}"))

    def _carried_out(self, entry: ListEntry | Removal, limit: int = 500) -> Recomputed:
        with self.store.transaction() as tx:
            touched = judgement.decide_list(tx, entry, now=self.now, policy=self.policy)
        return self.recompute(touched.executables, limit)

    def recompute(self, shas: Iterable[Sha256], limit: int = 500) -> Recomputed:
        total, after = Recomputed(), ("", "")
        while True:
            with self.store.transaction() as tx:
                done = judgement.recompute(tx, T, shas, now=self.now, policy=self.policy, limit=limit, after=after)
            total = Recomputed(
                total.hosts + done.hosts, total.released + done.released, total.moved + done.moved, done.done, done.next
            )
            if done.done:
                return total
            after = done.next

    def clear(self, host: str) -> HostState:
        return self._host_deed(judgement.clear_host, host)

    def quarantine(self, host: str) -> HostState:
        return self._host_deed(judgement.quarantine, host)

    def release(self, host: str) -> HostState:
        return self._host_deed(judgement.release, host)

    def _host_deed(self, deed: Any, host: str) -> HostState:
        self.now += 1000
        with self.store.transaction() as tx:
            state: HostState = deed(tx, T, HostId(host), now=self.now, policy=self.policy)
            return state

    def pause(self, on: bool = True) -> tuple[HostId, ...]:
        self.now += 1000
        with self.store.transaction() as tx:
            return judgement.set_pause(tx, T, on, now=self.now, policy=self.policy, author="ann")

    def mode(self, word: str, confirm: Iterable[str] = ()) -> Preview:
        self.now += 1000
        with self.store.transaction() as tx:
            return judgement.set_mode(
                tx, T, {"default": word}, now=self.now, policy=self.policy, author="ann", confirm=confirm
            )

    # --- what can be seen --------------------------------------------------------------------------------------

    def state(self, host: str) -> HostState:
        state = self.store.reading().get(HostState, T, HostId(host))
        assert state is not None
        return state

    def access(self, host: str) -> Access:
        return self.state(host).access

    def posture(self, host: str) -> Posture:
        return self.state(host).posture

    def moved(self) -> list[str]:
        """The hosts that are out of production."""
        states = self.store.reading().find(HostState, tenant=T)
        return sorted(each.host_id for each in states if each.access is not Access.PRODUCTION)

    def reasons(self, host: str) -> list[PostureReason]:
        return self.store.reading().find(PostureReason, tenant=T, host_id=HostId(host))

    def events(self, kind: str = "") -> list[Event]:
        found = self.store.reading().find(Event, tenant=T, order="at")
        return [each for each in found if kind in ("", each.kind)]

    def loud(self) -> list[Event]:
        """What is mailed at once."""
        return [each for each in self.events() if each.severity > 0]

    def contained(self, what: str) -> bool:
        level = f"executable:{sha(what)}"
        return bool(self.store.reading().find(BreakerTrip, tenant=T, level=level, ended=None))

    def orders(self) -> list[Order]:
        return self.store.reading().find(Order, tenant=T, order="created")

    def places(self, level: str) -> set[str]:
        return {each.host_id for each in self.store.reading().find(BreakerPlace, tenant=T, level=level)}


__all__ = ["DAY", "HOUR", "MINUTE", "START", "Operation", "T", "World", "sha"]
