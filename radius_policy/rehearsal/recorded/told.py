"""One recorded process start as a log told it, before it becomes an execution. Nothing here is guessed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from radius_policy.model import DEFAULT_TENANT, SECOND, Execution, HostId, Micros, ParentRef, Sha256
from radius_policy.rehearsal.history import Start


@dataclass(frozen=True, slots=True)
class Told:
    """`process` names the process so that its end can be found: an id of the source, or the pid. `judgeable` is False
    where the source never carries a hash. Times are exact."""

    source: str
    host: str
    at: Micros
    path: str
    process: str
    pid: int = 0
    sha256: str | None = None
    user: str = ""
    parent: str = ""
    parent_pid: int | None = None
    parent_sha256: str | None = None
    signer: str | None = None
    signer_state: str | None = None
    product: str | None = None
    version: str | None = None
    kind: str = "other"
    judgeable: bool = True
    mac: str | None = None
    ended: Micros | None = None

    @property
    def id(self) -> str:
        """The same at every reading, and of no other start: what tells records apart when their ids do not."""
        said = "\0".join((self.source, self.host, str(self.at), str(self.pid), self.process, self.path))
        return f"{self.source}-{hashlib.sha256(said.encode()).hexdigest()[:40]}"

    def start(self, held: bool = False) -> Start:
        """As an agent would have reported it; `held`: one that could have held it."""
        parent = ParentRef(self.parent, Sha256(self.parent_sha256) if self.parent_sha256 else None, self.parent_pid)
        execution = Execution(
            DEFAULT_TENANT,
            self.id,
            HostId(self.host),
            Sha256(self.sha256) if self.sha256 else None,
            self.path,
            self.pid,
            self.at,
            self.at,
            user=self.user,
            kind=self.kind,
            held=held,
            ended=self.ended,
            parents=(parent,) if self.parent else (),
            signer=self.signer,
            signer_state=self.signer_state,
            product=self.product,
            version=self.version,
            judgeable=self.judgeable,
        )
        return Start(execution, self.id, self.at / SECOND, self.mac)


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a process, by the same `process` as its start."""

    source: str
    host: str
    at: Micros
    process: str


def with_ends(told: Iterable[Told | Ended]) -> list[Told]:
    """The starts in the order of time, each with its end where one was told: a process ends once, after its start."""
    starts: list[Told] = []
    running: dict[tuple[str, str, str], int] = {}
    for each in sorted(told, key=lambda one: (one.at, isinstance(one, Ended))):
        key = (each.source, each.host, each.process)
        if isinstance(each, Told):
            running[key] = len(starts)
            starts.append(each)
        elif (place := running.pop(key, None)) is not None:
            starts[place] = replace(starts[place], ended=each.at)
    return starts
