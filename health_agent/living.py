"""Which reported starts have not ended: found by the sensor's token, by process, and by content.

Guarantees: each look-up costs the same however many there are. It knows nothing of time and tells nobody.
"""

from dataclasses import dataclass

Process = tuple[int, int, str | None]
"""Pid, birth and the SHA-256 it runs: what a process is over a restart of the agent."""


@dataclass(frozen=True, slots=True)
class Alive:
    token: int
    execution: str
    process: Process


class Living:
    """Begins empty."""

    def __init__(self) -> None:
        self._by_token: dict[int, Alive] = {}
        self._by_process: dict[Process, Alive] = {}
        self._by_content: dict[str, dict[int, Alive]] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def __contains__(self, process: Process) -> bool:
        return process in self._by_process

    def add(self, alive: Alive) -> None:
        """A process that starts the same program again is found by its last start."""
        self._by_token[alive.token] = alive
        self._by_process[alive.process] = alive
        if (content := alive.process[2]) is not None:
            self._by_content.setdefault(content, {})[alive.token] = alive

    def remove(self, token: int) -> Alive | None:
        """It ended, or nobody wants to know; None where it is not here (any more)."""
        alive = self._by_token.pop(token, None)
        if alive is None:
            return None
        if self._by_process.get(alive.process) is alive:
            del self._by_process[alive.process]
        content = alive.process[2]
        if content is not None:
            del self._by_content[content][token]
            if not self._by_content[content]:
                del self._by_content[content]
        return alive

    def remove_content(self, sha256: str) -> list[Alive]:
        """All that run this content."""
        found = list(self._by_content.get(sha256, {}).values())
        for alive in found:
            self.remove(alive.token)
        return found
