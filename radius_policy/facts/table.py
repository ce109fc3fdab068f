"""The facts that rules may ask about: one table, `FACTS`, with type, unit, source and what each is worth as evidence.

`Facts` is what is known about one start: a mapping from fact name to value in which what is *missing* is absent
(or None, which is the same). Reading a missing fact gives None and no condition holds for None, negated ones
included (tables.md, Grace rules). Facts are built once per sighting; those that cost a query are given as functions
and asked only where a rule reaches them.

What it does not do: it decides nothing and reads no store; `judgement/found_facts.py` fills in what only the store knows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Final

from radius_policy.facts.families import family_of
from radius_policy.facts.places import KINDS, home, place, root_of, under
from radius_policy.model import SECOND, Execution, Host, Tool, ToolRole, VerdictWord

Value = str | int | float | bool | tuple[str, ...]
"""What a fact can be. `tuple[str, ...]` is a set of texts: equal means one of them is."""


class Type(StrEnum):
    """What a fact's value is: `path` and `paths` are compared as places, `number` has a unit, `word` is one of a few, the
    plural ones are sets."""

    TEXT = "text"
    PATH = "path"
    HASH = "hash"
    NUMBER = "number"
    BOOLEAN = "boolean"
    WORD = "word"
    TEXTS = "texts"
    PATHS = "paths"


class Worth(StrEnum):
    """What kind of evidence a fact is. A rule that trusts needs more than one weak kind (grace/rules.py)."""

    IDENTITY = "identity"
    LINEAGE = "lineage"
    SIGNATURE = "signature"
    NAME = "name"
    PREVALENCE = "prevalence"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the table. `words` are the possible values of a `word`; `replay`: also known in a replay of
    recorded events, where the parent stands for the writer."""

    name: str
    type: Type
    unit: str
    source: str
    worth: Worth
    doc: str
    replay: bool = False
    words: tuple[str, ...] = ()


_VERDICTS: Final = tuple(VerdictWord)
_ROLES: Final = tuple(ToolRole)
_STATES: Final = ("valid", "invalid", "expired", "unsigned")
_T, _P, _H, _N, _B, _W = Type.TEXT, Type.PATH, Type.HASH, Type.NUMBER, Type.BOOLEAN, Type.WORD
_ID, _LI, _SI, _NA, _PR, _CO = tuple(Worth)


def _program(prefix: str, who: str, *, replay: bool) -> tuple[Fact, ...]:
    """The facts about another program that had a part: the writer and the parent have the same ones."""
    return (
        Fact(f"{prefix}.hash", _H, "SHA-256", "agent", _ID, f"Content of the {who}.", replay),
        Fact(f"{prefix}.path", _P, "path", "agent", _NA, f"Path of the {who}.", replay),
        Fact(f"{prefix}.place", _P, "folder", "agent", _NA, f"Folder of the {who}, normalised like `place`.", replay),
        Fact(f"{prefix}.user", _T, "name", "agent", _CO, f"User as whom the {who} ran."),
        Fact(f"{prefix}.verdict", _W, "", "store", _LI, f"Verdict on the {who}, on this host, as of now.", replay, _VERDICTS),
        Fact(f"{prefix}.role", _W, "", "inventory", _LI, f"Tool role of the {who}, by its hash, at the place where it was inventoried if it has a home.", replay, _ROLES),
        Fact(f"{prefix}.proven", _B, "", "store", _LI, f"The {who} itself is owned by a package or image and unmodified.", replay),
        Fact(f"{prefix}.never_signed", _B, "", "inventory", _SI, f"The {who} is inventoried and neither it nor any inventoried program of its home folder is signed.", replay),
        Fact(f"{prefix}.same_home", _B, "", "agent", _NA, f"The file lies in the home folder of the {who}; false where that folder is shared by strangers.", replay),
        Fact(f"{prefix}.same_signer", _B, "", "store", _SI, f"File and {who} are validly signed by the same signer.", replay),
    )  # fmt: skip


_ROWS: Final[tuple[Fact, ...]] = (
    Fact("hash", _H, "SHA-256", "agent", _ID, "Content of the executable.", True),
    Fact("kind", _W, "", "agent", _NA, "What sort of content it is.", False, ("elf", "pe", "script", "memfd", "java", "library", "other")),
    Fact("size", _N, "bytes", "agent", _NA, "Size of the file."),
    Fact("path", _P, "path", "agent", _NA, "Where it lies; Windows paths are compared without case.", True),
    Fact("name", _P, "file name", "agent", _NA, "Last part of the path.", True),
    Fact("place", _P, "folder", "agent", _NA, "Its folder with user name (`*`), version folders and random folders normalised away.", True),
    Fact("place.kind", _W, "", "agent", _NA, "What sort of folder that is.", True, KINDS),
    Fact("family", _T, "key", "store", _LI, "Family by maker and inputs, where it is a member of one.", True),
    Fact("family.template", _W, "", "store", _LI, "Which kind of family that is.", True, ("native-image", "kernel-module", "policy-probe", "launcher")),
    Fact("made_by.inputs", _W, "", "store", _LI, "Worst verdict of what it was made from (proven counts as allowed); missing where one input is not known.", False, _VERDICTS),
    Fact("made_by.template", _T, "name", "agent", _LI, "Fixed content template that it matches byte for byte except for its variable parts."),
    Fact("provenance.source", _W, "", "agent", _LI, "Why the file is there.", True, ("package", "installer", "built", "image", "downloaded", "unknown")),
    Fact("provenance.detail", _T, "channel:package@version", "agent", _LI, "Package that brought it.", True),
    Fact("provenance.proven", _B, "", "agent", _LI, "That is checked: owned *and* unmodified. In a replay true for `ccm:`, `image:` and `updater:`.", True),
    Fact("image.member", _B, "", "store", _LI, "This content was proven to belong to this host's image, on some host.", True),
    Fact("image.peers", _N, "hosts", "store", _LI, "Other hosts, enrolled within the same two hours and of the same image, whose own inventory scan lists this content."),
    Fact("signer.state", _W, "", "agent", _SI, "State of its signature; `valid` is valid now or time-stamped within its life.", True, _STATES),
    Fact("signer.name", _T, "common name", "agent", _SI, "Who signed it, whatever the state.", True),
    Fact("signer.certificate", _H, "SHA-256", "agent", _SI, "Certificate that signed it."),
    Fact("signer.seen", _B, "", "agent", _SI, "A signature of any state is known; never a reason for trust where false.", True),
    Fact("signer.known", _B, "", "store", _SI, "Valid, and the same signer has an allowed executable in this fleet.", True),
    Fact("signer.used_place_before", _B, "", "store", _LI, "Valid, and an allowed executable of the same signer had the same `place` before.", True),
    Fact("signer.used_parent_before", _B, "", "store", _LI, "Valid, and an allowed executable of the same signer was started by this parent before, or the parent is validly signed by that signer and allowed.", True),
    Fact("signer.used_writer_before", _B, "", "store", _LI, "The same for the writer.", True),
    Fact("signer.lost", _B, "", "store", _SI, "An earlier version (same name and place) was validly signed and this one is not.", True),
    Fact("product", _T, "name", "agent", _SI, "Product name inside the signature's cover."),
    Fact("version", _T, "version", "agent", _SI, "Version inside the signature's cover."),
    Fact("previous_version.verdict", _W, "", "store", _LI, "Best verdict among earlier executables of the same name at the same `place`, by the same signer where this one is signed.", True, _VERDICTS),
    Fact("previous_version.signer_state", _W, "", "store", _SI, "Signature state of that one.", True, _STATES),
    Fact("previous_version.same_product", _B, "", "store", _SI, "That one has the same signed product name."),
    *_program("writer", "program that wrote the file", replay=True),
    Fact("writer.in_transaction", _B, "", "agent", _LI, "The writer is a package manager in a running transaction."),
    Fact("writer.chain_deployment", _B, "", "store", _LI, "The writer is a deployment tool or a descendant of one.", True),
    Fact("writer.trust", _W, "", "admin", _LI, "Trust that an admin gave to that deployment tool; missing while its role is only proposed.", False, ("proof", "grace")),
    Fact("writer.trust_hours", _N, "hours", "admin", _CO, "Hours of that trust, where it is `grace`."),
    Fact("writer.trust_max_hosts", _N, "hosts", "admin", _CO, "Hosts of that trust, where it is `grace`."),
    *_program("parent", "program that started it", replay=True),
    Fact("parents.verdicts", Type.TEXTS, "verdicts", "store", _LI, "Verdicts of all known programs of the parent chain.", True),
    Fact("parents.roles", Type.TEXTS, "roles", "store", _LI, "Tool roles in the parent chain.", True),
    Fact("interpreter.hash", _H, "SHA-256", "agent", _CO, "Interpreter of a script; its verdict is never the script's."),
    Fact("interpreter.verdict", _W, "", "store", _CO, "Verdict on the interpreter.", False, _VERDICTS),
    Fact("user", _T, "name", "agent", _CO, "User as whom it was started.", True),
    Fact("host.id", _T, "host_id", "store", _CO, "The endpoint.", True),
    Fact("host.name", _T, "name", "store", _CO, "Its name.", True),
    Fact("host.role", _T, "role", "store", _CO, "Its role (`dev`, `build`, `server` …).", True),
    Fact("host.groups", Type.TEXTS, "groups", "store", _CO, "Its groups.", True),
    Fact("host.site", _T, "site", "store", _CO, "Its site.", True),
    Fact("host.image", _T, "name", "store", _CO, "Image that it was installed from.", True),
    Fact("host.operation", _W, "", "store", _CO, "How its agent meets an unknown.", True, ("hold", "notify")),
    Fact("host.age", _N, "minutes", "store", _CO, "Since its enrolment (in a replay: its first event, where it is not in the inventory's fleet).", True),
    Fact("host.fresh_peers", _N, "hosts", "store", _CO, "Other hosts of its site and image that were enrolled less than two hours before or after it (in a replay a host of an image that the inventory lists nothing of counts as enrolled with its first event).", True),
    Fact("host.new_share", _N, "share 0 to 1", "store", _CO, "Share of this host's executables since enrolment that no inventory knew.", True),
    Fact("host.baseline_listed", _B, "", "store", _LI, "This host's own inventory scan at enrolment lists this content, confirmed or not."),
    Fact("prevalence.fleet.hosts", _N, "hosts", "store", _PR, "Hosts that ran this content, this one not counted.", True),
    Fact("prevalence.site.hosts", _N, "hosts", "store", _PR, "The same at this site.", True),
    Fact("prevalence.last_10_minutes", _N, "hosts", "store", _PR, "Hosts whose first start of it was in the last 10 minutes.", True),
    Fact("prevalence.last_hour", _N, "hosts", "store", _PR, "Hosts whose first start of it was in the last hour.", True),
    Fact("age", _N, "hours", "store", _PR, "Since the first start of this content in the fleet.", True),
    Fact("ring.pilot.hosts", _N, "hosts", "store", _LI, "Pilot hosts on which it ran allowed or graced.", True),
    Fact("ring.pilot.users", _N, "users", "store", _LI, "Users of those hosts.", True),
    Fact("ring.pilot.hours", _N, "hours", "store", _LI, "Since its first start on the pilot hosts.", True),
    Fact("ring.pilot.incident", _B, "", "store", _LI, "A pilot host that ran it is compromised or was since.", True),
    Fact("time.hour", _N, "hour 0 to 23", "clock", _CO, "Local hour at the site.", True),
    Fact("time.weekday", _N, "1 (Monday) to 7", "clock", _CO, "Local day of the week.", True),
    Fact("maintenance.open", _B, "", "admin", _CO, "A maintenance window of this host's site or group is open."),
    Fact("pass.open", _B, "", "admin", _ID, "An admin's one-time pass for this content on this host is open."),
    Fact("replay", _B, "", "clock", _CO, "Recorded events are being replayed; missing in real life.", True),
)  # fmt: skip

FACTS: Final[Mapping[str, Fact]] = {fact.name: fact for fact in _ROWS}
"""Every fact by name, in the order of the docs."""


class Facts(dict[str, Value | None]):
    """The facts of one start. `facts[name]` is None where the fact is missing; it never raises KeyError.

    `later` holds functions for facts that cost something: each is called at most once, when first read. A function
    returns None where its fact is missing.
    """

    __slots__ = ("_later",)

    def __init__(
        self,
        known: Mapping[str, Value | None] | Iterable[tuple[str, Value | None]] = (),
        later: Mapping[str, Callable[[], Value | None]] | None = None,
    ) -> None:
        super().__init__(known)
        self._later = later or {}

    def __missing__(self, name: str) -> Value | None:
        make = self._later.get(name)
        value = make() if make is not None else None
        self[name] = value
        return value

    def all(self) -> dict[str, Value]:
        """Every fact that is there, in the table's order, the costly ones included."""
        return {name: value for name in FACTS if (value := self[name]) is not None}


_LAST: Final = 253_000_000_000 * SECOND  # in the year 9987: an endpoint's clock may say anything


_QUARTER: Final = 900 * SECOND


@lru_cache(maxsize=4096)
def _local(quarter: int, zone: tzinfo) -> tuple[int, int]:
    """Local hour and weekday of a quarter of an hour: no time zone shifts within one."""
    local = datetime.fromtimestamp(quarter * 900, zone)
    return local.hour, local.isoweekday()


def of_execution(execution: Execution, host: Host, *, zone: tzinfo) -> dict[str, Value | None]:
    """The facts that the report and the host's record alone give. Never raises."""
    here = place(execution.path)
    hour, weekday = _local(min(max(execution.started, 0), _LAST) // _QUARTER, zone)
    source, detail = split_provenance(execution.provenance)
    return {
        "hash": execution.sha256, "kind": execution.kind, "path": here.path, "name": here.name, "place": here.root, "place.kind": here.kind,
        "provenance.source": source, "provenance.detail": detail, "provenance.proven": execution.proven,
        "signer.state": execution.signer_state, "signer.name": execution.signer, "signer.certificate": execution.certificate,
        "signer.seen": None if execution.signer_state is None else execution.signer_state != "unsigned",
        "product": execution.product, "version": execution.version, "user": execution.user or None,
        "interpreter.hash": execution.interpreter.sha256 if execution.interpreter else None,
        "host.id": host.host_id, "host.name": host.name, "host.role": host.role or None, "host.groups": host.groups,
        "host.site": host.site, "host.image": host.image or None, "host.operation": host.operation,
        "time.hour": hour, "time.weekday": weekday,
    }  # fmt: skip


def of_program(
    prefix: str, path: str, sha256: str | None, tool: Tool | None, *, file_path: str
) -> dict[str, Value | None]:
    """The facts about the writer or the parent (`prefix`) that its path and its inventoried role give.

    A tool with a home folder has its role only there: a copy of an updater elsewhere is just a program.
    """
    here = place(path)
    own = home(path)
    file_folder = place(file_path).folder
    same_home = own is not None and under(file_folder, own)
    at_home = tool is not None and (not tool.home or (own is not None and root_of(own) == tool.home))
    facts: dict[str, Value | None] = {
        f"{prefix}.hash": sha256, f"{prefix}.path": here.path, f"{prefix}.place": here.root, f"{prefix}.same_home": same_home,
    }  # fmt: skip
    if tool is not None and at_home:
        facts[f"{prefix}.role"] = tool.role
        facts[f"{prefix}.never_signed"] = tool.never_signed
    return facts


def of_deployment(tool: Tool | None) -> dict[str, Value | None]:
    """The facts about the deployment tool that wrote the file, itself or through a descendant (`tool` is that one)."""
    if tool is None or tool.role is not ToolRole.DEPLOYMENT:
        return {}
    if not tool.confirmed or not tool.trust:
        return {"writer.chain_deployment": True}
    return {
        "writer.chain_deployment": True, "writer.trust": tool.trust,
        "writer.trust_hours": tool.hours, "writer.trust_max_hosts": tool.max_hosts,
    }  # fmt: skip


def of_family(
    path: str, maker: Tool | None, *, inputs: Iterable[str] = (), template: str | None = None
) -> dict[str, Value | None]:
    """The facts about the family that a file written by `maker` belongs to; none where it belongs to none."""
    family = family_of(place(path), maker, inputs=inputs, template=template)
    return (
        {}
        if family is None
        else {"family": family.key, "family.template": family.template, "made_by.template": template}
    )


_CHANNELS: Final = {"ccm": "installer", "image": "image", "updater": "installer"}


def split_provenance(text: str | None) -> tuple[str | None, str | None]:
    """`source:detail` as an execution record keeps it, or a replay's `channel:package@version`, as (source, detail)."""
    if not text:
        return None, None
    head, _, rest = text.partition(":")
    if head in FACTS["provenance.source"].words:
        return head, rest or None
    return _CHANNELS.get(head, "package"), text
