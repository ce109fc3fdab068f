"""What was dropped and why: a counter for each reason, and now and then a sentence that says what to do.

The same trouble from the same source is put into words once a minute at most, with how often it came meanwhile; so a
flood fills no log, and nothing is silent.
"""

from collections import Counter

from radius_policy.model import SECOND, Micros
from radius_policy.radius.wire import Fault

QUIET_US = 60 * SECOND
_MOST = 4096

ADVICE: dict[Fault, str] = {
    Fault.UNKNOWN_CLIENT: "No NAS with this address is known to this listener; add it (pratique nas add) or have it stop.",
    Fault.BAD_MESSAGE_AUTHENTICATOR: "The shared secret differs, or the packet was changed on its way: set the same secret on both sides.",
    Fault.BAD_REQUEST_AUTHENTICATOR: "The shared secret differs: set the same one on the NAS and here.",
    Fault.BAD_RESPONSE_AUTHENTICATOR: "The secret for CoA differs on the NAS, or somebody forges answers: compare it there and here.",
    Fault.MISSING_MESSAGE_AUTHENTICATOR: "Have the NAS send Message-Authenticator (newer firmware does); an admin may lift the demand for this NAS.",
    Fault.EAP_WITH_PASSWORD: "The NAS mixes EAP and a password in one request, which RFC 3579 forbids.",
    Fault.UNEXPECTED_CODE: "This kind of packet does not belong to this port: compare the port numbers on the NAS.",
    Fault.STALE_TIMESTAMP: "The clocks of NAS and service are more than 300 s apart: set up NTP on both.",
    Fault.NOT_ASKED: "An answer that nobody waits for: late, doubled or forged.",
}
_MALFORMED = "The packet is malformed; it is not RADIUS, was cut on its way, or the sender has a defect."


class Complaints:
    """Counters by reason and the pacing of sentences. `counts` may be read at any time."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._last: dict[tuple[Fault, str], tuple[Micros, int]] = {}

    def note(self, fault: Fault, source: str, text: str, now: Micros) -> str | None:
        """Count it. A sentence for the log, or None while the same was said less than a minute ago."""
        self.counts[fault] += 1
        said, since = self._last.get((fault, source), (None, 0))
        if said is not None and now - said < QUIET_US:
            self._last[fault, source] = (said, since + 1)
            return None
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[fault, source] = (now, 0)
        again = f" ({since} more since the last such line)" if since else ""
        return f"dropped a packet from {source}: {text}.{again} {ADVICE.get(fault, _MALFORMED)}"
