"""The wire between an endpoint agent and the policy service: JSON bodies over HTTPS, version 1.

What it guarantees: both sides use these structs and nothing else; a body that does not fit is refused by its
decoder with the path of the wrong field (`msgspec.ValidationError`), never half understood. Unknown fields are
ignored, so that an older service can read a newer agent; a meaning never changes within a version.

What it does not do: it signs nothing and sends nothing (`identity.py`, `uplink.py`), and it decides nothing.

Times are integers, microseconds since the Unix epoch. Those named `*_us` in a message of the agent are by the
*endpoint's* clock; `Signed.offset_us` says what the agent believes it must add to get the service's clock.
Hashes are 64 lower-case hexadecimal digits (SHA-256). MAC addresses are six lower-case pairs joined by colons.

Requests of an enrolled agent carry two headers, `Pratique-Host` (its `host_id`) and `Pratique-Signature`
(base64 of the Ed25519 signature, RFC 8032, over the exact bytes of the body). Every signed body derives from
`Signed`: its `id` makes a retry harmless (the service answers a known id again and records nothing twice), its
`host_id` must be that of the key, and `clock_us + offset_us` must be fresh. A stale one is answered with problem
type `clock-skew` and the service's clock, from which the agent learns its offset and sends anew, with a new id.

| request | body | answer |
|---|---|---|
| POST /v1/enrol | `Enrolment` | `Enrolled` |
| POST /v1/sightings | `Report` | `Answer` |
| POST /v1/heartbeat | `Heartbeat` | `Answer` |
| POST /v1/inventory | `Inventory` | `Answer` |
"""

import base64
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

VERSION: Final = 1
HOST_HEADER: Final = "Pratique-Host"
SIGNATURE_HEADER: Final = "Pratique-Signature"
FRESHNESS_US: Final = 300_000_000
"""A signed body whose corrected clock is further than this from the service's clock is refused (RFC 5176 6.3 uses the same 300 s)."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Mac = Annotated[str, Meta(pattern="^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
Micros = Annotated[int, Meta(ge=0, lt=2**62)]
Id = Annotated[str, Meta(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
Text = Annotated[str, Meta(max_length=4096)]


class Kind(StrEnum):
    """What sort of content an executable is (design.md, Words)."""

    ELF = "elf"
    PE = "pe"
    SCRIPT = "script"
    MEMFD = "memfd"
    JAVA = "java"
    LIBRARY = "library"
    OTHER = "other"


class Source(StrEnum):
    """Why a file is there, as far as the agent could find out."""

    PACKAGE = "package"
    INSTALLER = "installer"
    BUILT = "built"
    IMAGE = "image"
    DOWNLOADED = "downloaded"
    UNKNOWN = "unknown"


class SignatureState(StrEnum):
    """`valid` = valid now, or time-stamped within the certificate's life (tables.md, Verdict 2)."""

    VALID = "valid"
    INVALID = "invalid"
    EXPIRED = "expired"
    UNSIGNED = "unsigned"


class Program(msgspec.Struct, frozen=True, omit_defaults=True):
    """Another program that had a part: a writer or a parent. What is not known is None, never guessed."""

    path: Text
    sha256: Sha256 | None = None
    pid: int | None = None
    user: Text | None = None


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """`detail` is `channel:package@version` where known. `proven` only when checked: owned *and* unmodified."""

    source: Source = Source.UNKNOWN
    detail: Text | None = None
    proven: bool = False
    writer: Program | None = None


class Signer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The code signature found on the file. `name` is the certificate's common name, `certificate` its SHA-256."""

    state: SignatureState
    name: Text | None = None
    certificate: Sha256 | None = None
    product: Text | None = None
    version: Text | None = None


class Execution(msgspec.Struct, frozen=True, omit_defaults=True):
    """One start of an executable. `id` is made by the agent and stays the same in every retry and in the end.

    `sha256` is None when the content could not be read (deleted, too late): the service keys such a start by
    (host, start). `sighting`: the first start of this executable on this endpoint as far as the agent remembers.
    `alive_at_start`: the program ran already when the agent started, so `started_us` may be before the agent.
    `parents` is the chain upwards, nearest first. `interpreter` belongs to kind `script`.
    """

    id: Id
    path: Text
    pid: int
    started_us: Micros
    kind: Kind = Kind.OTHER
    sha256: Sha256 | None = None
    size: int | None = None
    user: Text | None = None
    sighting: bool = True
    alive_at_start: bool = False
    parents: tuple[Program, ...] = ()
    provenance: Provenance = Provenance()
    signer: Signer | None = None
    interpreter: Program | None = None
    held: bool = False


class End(msgspec.Struct, frozen=True):
    """The end of an execution reported before. `uncertain`: seen late (polling, agent restart), so ended at the latest then."""

    execution: Id
    ended_us: Micros
    uncertain: bool = False


class Signed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What every signed body begins with."""

    host_id: Id
    id: Id
    clock_us: Micros
    offset_us: int = 0
    v: int = VERSION


class Report(Signed, frozen=True, omit_defaults=True, kw_only=True):
    """Executions and ends, oldest first, at most 500 of each. `spooled_us`: how long the oldest waited in the spool."""

    executions: Annotated[tuple[Execution, ...], Meta(max_length=500)] = ()
    ends: Annotated[tuple[End, ...], Meta(max_length=500)] = ()
    spooled_us: int = 0


class Sensor(StrEnum):
    FANOTIFY = "fanotify"
    POLLING = "polling"


class Operation(StrEnum):
    """How the agent meets an unknown: `hold` (the kernel waits for the verdict) or `notify` (it runs, we hear at once)."""

    HOLD = "hold"
    NOTIFY = "notify"


class Discovery(StrEnum):
    """How a switch told of itself: IEEE 802.1AB, or Cisco's own protocol."""

    LLDP = "lldp"
    CDP = "cdp"


class Neighbour(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The switch at one of this endpoint's interfaces, in its own words; whoever is on that wire may have said so.

    `mac` is the interface's, `switch` the switch's name, else its `chassis` id; `port` its name of the port, `description`
    what its admin calls that, `address` where it is managed. `age_s`: so long ago it said so last.
    """

    protocol: Discovery
    mac: Mac
    switch: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[str, Meta(min_length=1, max_length=255)]
    chassis: Annotated[str, Meta(max_length=255)] = ""
    description: Annotated[str, Meta(max_length=255)] = ""
    address: Annotated[str, Meta(max_length=45)] = ""
    age_s: Annotated[int, Meta(ge=0, le=65_535)] = 0


class Heartbeat(Signed, frozen=True, omit_defaults=True, kw_only=True):
    """Still here, and how well. `lost` counts by name what the agent knows it lost (`overflow`, `spool_full`, …).

    `neighbours` are the switches that it hears, which an older agent leaves out.

    `ack_orders` names orders carried out since the last message; an answer repeats an order until it is named here
    or in `refused_orders`, which gives for each order that this agent cannot carry out the reason as a sentence.
    """

    agent_version: Text
    sensor: Sensor
    operation: Operation
    macs: tuple[Mac, ...] = ()
    addresses: tuple[Text, ...] = ()
    spooled: int = 0
    lost: dict[str, int] = {}
    ack_orders: tuple[Id, ...] = ()
    refused_orders: dict[Id, Text] = {}
    neighbours: Annotated[tuple[Neighbour, ...], Meta(max_length=16)] = ()


class InventoryLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One program that was there before watching began. `proven`: owned by an installed package and unmodified."""

    sha256: Sha256
    path: Text
    size: int | None = None
    kind: Kind = Kind.OTHER
    package: Text | None = None
    proven: bool = False
    signer: Signer | None = None


class Inventory(Signed, frozen=True, omit_defaults=True, kw_only=True):
    """A part of the baseline scan (`learn`), at most 2,000 lines; `last` ends the scan."""

    lines: Annotated[tuple[InventoryLine, ...], Meta(max_length=2000)]
    last: bool = False


class VerdictWord(StrEnum):
    ALLOWED = "allowed"
    GRACED = "graced"
    UNKNOWN = "unknown"
    DENIED = "denied"
    UNJUDGEABLE = "unjudgeable"


class VerdictNotice(msgspec.Struct, frozen=True, omit_defaults=True):
    """The service's verdict on one executable for this endpoint. `until_us` (service clock) bounds a grace."""

    sha256: Sha256
    verdict: VerdictWord
    reason: Text
    until_us: Micros | None = None


class Action(StrEnum):
    """What the service may ask of an agent. `forget` drops the verdict of `sha256`, so that its next start is asked anew."""

    FORGET = "forget"
    RENEW_DHCP = "renew_dhcp"
    HOLD_EXECUTABLE = "hold_executable"
    DENY_EXECUTABLE = "deny_executable"
    RELEASE_EXECUTABLE = "release_executable"
    CUT = "cut"
    UNCUT = "uncut"
    ISOLATE = "isolate"
    UNISOLATE = "unisolate"


class OrderNotice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order to this endpoint; repeated in every answer until acknowledged by its `id`."""

    id: Id
    action: Action
    sha256: Sha256 | None = None
    generation: int = 0


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Acknowledges the body whose id it names: it is on the service's disk. `service_us` is the service's clock.

    `repeated`: the id was known already, so nothing was recorded this time.
    """

    id: Id
    service_us: Micros
    verdicts: tuple[VerdictNotice, ...] = ()
    orders: tuple[OrderNotice, ...] = ()
    heartbeat_s: int = 30
    repeated: bool = False
    v: int = VERSION


class Enrolment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Asks to become an endpoint. `token` is the secret part of a one-time token; `public_key` is base64 of 32 octets (Ed25519)."""

    token: Annotated[str, Meta(min_length=16, max_length=200)]
    public_key: Annotated[str, Meta(min_length=44, max_length=44)]
    name: Annotated[str, Meta(min_length=1, max_length=253)]
    macs: Annotated[tuple[Mac, ...], Meta(min_length=1, max_length=64)]
    agent_version: Text
    os: Text = ""
    v: int = VERSION


class Enrolled(msgspec.Struct, frozen=True, omit_defaults=True):
    """The endpoint's identity from now on. `service_us` gives the agent its first clock offset."""

    host_id: Id
    site: str
    service_us: Micros
    heartbeat_s: int = 30
    v: int = VERSION


class EnrolmentToken(msgspec.Struct, frozen=True):
    """What an admin hands over: where the service is, the SHA-256 of its CA certificate (DER) and the one-time secret.

    As text: `ptq1.` and the unpadded base64url of its JSON. The agent fetches the CA from `GET /v1/ca` without trust,
    compares its fingerprint with `ca`, and trusts nothing but that CA from then on.
    """

    url: str
    ca: Sha256
    secret: Annotated[str, Meta(min_length=16, max_length=200)]

    def text(self) -> str:
        return _TOKEN_PREFIX + base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "EnrolmentToken":
        """Raises ValueError with a sentence for the person who pasted it."""
        text = text.strip()
        if not text.startswith(_TOKEN_PREFIX):
            raise ValueError(
                "this is no enrolment token: it must begin with 'ptq1.' (make one with: pratique enrol-token)"
            )
        body = text.removeprefix(_TOKEN_PREFIX)
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=cls)
        except (ValueError, msgspec.DecodeError) as error:
            raise ValueError(
                "this enrolment token is damaged, perhaps cut off when it was copied; paste it whole"
            ) from error


_TOKEN_PREFIX: Final = "ptq1."  # noqa: S105 - a public prefix, no secret
