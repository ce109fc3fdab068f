"""One message to the policy service and its answer: signed, over HTTPS on a connection that is kept.

Guarantees: TLS 1.3, and no CA but the one that the enrolment token named; an answer counts only when it names the
message's id; every failure is one of three families with a sentence: `Unreachable` (nobody answered, or the service
is in trouble: try again), `ClockSkew` (our clock; the service's time is in it) and `Refused` (it understood and said no).

`reset` may be called by any thread: it ends the connection at once, also one on which a request is waiting. After a
move to another network the old one would only hang.

Deliberately not here: when and how often to try (`sender.py`), and the connection itself (`line.py`).
"""

import ssl
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

import msgspec

from health_agent.contract import HOST_HEADER, SIGNATURE_HEADER, Answer, Heartbeat, Inventory, Report, Signed
from health_agent.identity import Identity
from health_agent.line import KeptLine, Line

PATHS: Final[dict[type[Signed], str]] = {
    Report: "/v1/sightings",
    Heartbeat: "/v1/heartbeat",
    Inventory: "/v1/inventory",
}


class UplinkError(Exception):
    """A message was not acknowledged. The text is a sentence for the log and the status."""


class Unreachable(UplinkError):
    """No answer, or one that says the service is in trouble. The same message may be sent again."""


class ClockSkew(UplinkError):
    """The service's clock says `service_us`; the message must be made anew."""

    def __init__(self, text: str, service_us: int) -> None:
        super().__init__(text)
        self.service_us = service_us


class Refused(UplinkError):
    """The service understood and refused. `status` is HTTP's, `problem` the name of its type (RFC 9457)."""

    def __init__(self, text: str, status: int, problem: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.problem = problem


class NotReady(Exception):
    """The message was made for nothing: what it tells is not safely on disk."""


class Problem(msgspec.Struct, frozen=True):
    """The members of RFC 9457 (and of ours) that are read here."""

    type: str = ""
    title: str = ""
    detail: str = ""
    service_us: int | None = None

    @property
    def name(self) -> str:
        return self.type.rsplit(":", 1)[-1]

    @property
    def text(self) -> str:
        return self.detail or self.title or "no reason given"


def problem_of(body: bytes) -> Problem:
    """The problem that an error answer tells; an empty one where it is something else (a proxy's page, say)."""
    try:
        return msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        return Problem()


class Uplink:
    """For one thread; only `reset` may be called by others. `line` is the connection (a test's own, too)."""

    def __init__(self, identity: Identity, line: Line | None = None) -> None:
        self._identity = identity
        self._line = line or KeptLine(identity.endpoint.url, identity.tls())
        self._encode = msgspec.json.Encoder().encode
        self._answer = msgspec.json.Decoder(Answer)
        self._host = urlsplit(identity.endpoint.url).netloc

    def send(self, message: Signed, ready: Callable[[], bool] = lambda: True) -> Answer:
        """`ready` is asked when the message is made and signed, just before it is sent. Raises Unreachable, ClockSkew,
        Refused; NotReady."""
        body = self._encode(message)
        headers = (
            ("Content-Type", "application/json"),
            (HOST_HEADER, self._identity.host_id),
            (SIGNATURE_HEADER, self._identity.sign(body)),
        )
        if not ready():
            raise NotReady
        try:
            status, content = self._line.post(PATHS[type(message)], headers, body)
        except (OSError, HTTPException) as error:
            raise Unreachable(failure(error, self._host)) from error
        if status == 200:
            return self._read(content, message)
        problem = problem_of(content)
        if status == 409 and problem.name == "clock-skew" and problem.service_us is not None:
            raise ClockSkew(f"the service refuses our clock: {problem.text}", problem.service_us)
        if status >= 500 or status in (408, 425, 429):
            raise Unreachable(f"the policy service is in trouble (HTTP {status}): {problem.text}")
        raise Refused(f"the policy service refuses us (HTTP {status}): {problem.text}", status, problem.name)

    def reset(self) -> None:
        """End the connection now; the next message makes a new one."""
        self._line.cut()

    def close(self) -> None:
        self._line.close()

    def _read(self, content: bytes, message: Signed) -> Answer:
        try:
            answer = self._answer.decode(content)
        except msgspec.MsgspecError as error:
            raise Unreachable(f"the policy service's answer is not understood: {error}") from error
        if answer.id != message.id:
            raise Unreachable("the policy service answered another message than ours")
        return answer


_BY_THE_CLOCK = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h."""


def failure(error: BaseException, host: str) -> str:
    """Why nobody answered, as a sentence."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _BY_THE_CLOCK:
            now = datetime.now().astimezone().isoformat(" ", "minutes")
            return (
                f"the certificate of {host} is not valid by this machine's clock, which says {now} "
                f"({cause.verify_message}): set the clock right, or look at the service's"
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {host} is not the one this endpoint was enrolled with ({cause.verify_message}); "
                "if the service was set up anew, enrol again, else somebody is in between"
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, TimeoutError):
        return f"the policy service at {host} does not answer in time"
    return f"the policy service at {host} cannot be reached: {error or type(error).__name__}"
