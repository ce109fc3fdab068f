"""What needs no report: the baseline of this endpoint and what the service allowed.

Guarantees: bounded; a verdict bounded in time ends by the service's clock; what the service took back (`forget`, or
any verdict but allowed) is asked anew at its next start, also when it stands in the baseline.

Reading (`covers`) is safe beside one writer: the sensor's thread asks here before it gathers facts.
"""

from collections import OrderedDict
from collections.abc import Iterable

from health_agent.contract import VerdictNotice, VerdictWord


class Known:
    """For one writer, the core. Hashes of the baseline are kept as 32 octets each."""

    def __init__(self, baseline: Iterable[str] = (), limit: int = 10_000) -> None:
        self._limit = limit
        self._baseline = {bytes.fromhex(sha256) for sha256 in baseline}
        self._verdicts: OrderedDict[str, VerdictNotice] = OrderedDict()

    @property
    def size(self) -> int:
        return len(self._baseline)

    def covers(self, sha256: str, service_us: int) -> bool:
        """Whether a start of this content needs no report at this time of the service."""
        verdict = self._verdicts.get(sha256)
        if verdict is None:
            return bytes.fromhex(sha256) in self._baseline
        return verdict.verdict is VerdictWord.ALLOWED and (verdict.until_us is None or service_us < verdict.until_us)

    def learn(self, baseline: Iterable[str]) -> None:
        """Takes the place of the baseline; verdicts of the service stay."""
        self._baseline = {bytes.fromhex(sha256) for sha256 in baseline}

    def judged(self, notice: VerdictNotice) -> bool:
        """Remember a verdict; whether it takes back a line of the baseline."""
        self._verdicts[notice.sha256] = notice
        self._verdicts.move_to_end(notice.sha256)
        if len(self._verdicts) > self._limit:
            self._verdicts.popitem(last=False)
        return notice.verdict is not VerdictWord.ALLOWED and self._take_back(notice.sha256)

    def forget(self, sha256: str) -> bool:
        """Drop the verdict and the baseline's line; whether there was such a line."""
        self._verdicts.pop(sha256, None)
        return self._take_back(sha256)

    def _take_back(self, sha256: str) -> bool:
        content = bytes.fromhex(sha256)
        there = content in self._baseline
        self._baseline.discard(content)
        return there
