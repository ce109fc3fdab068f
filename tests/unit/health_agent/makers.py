"""Values of the agent's words, with everything that a test does not care about filled in."""

from typing import Any

from health_agent.contract import End, Execution, VerdictNotice, VerdictWord
from health_agent.dialogue import Started

GOOD = "a" * 64
BAD = "b" * 64
OTHER = "c" * 64


def started(token: int, sha256: str | None = BAD, **more: Any) -> Started:
    facts: dict[str, Any] = {
        "path": f"/opt/program-{token}",
        "pid": 1000 + token,
        "birth": 50 + token,
        "started_us": 1_000_000,
    }
    return Started(token=token, sha256=sha256, **{**facts, **more})


def execution(number: int, **more: Any) -> Execution:
    return Execution(
        **{
            "id": f"execution-{number:04d}",
            "path": f"/opt/p{number}",
            "pid": number,
            "started_us": number,
            "sha256": BAD,
            **more,
        }
    )


def end(number: int) -> End:
    return End(f"execution-{number:04d}", number + 10)


def verdict(sha256: str, word: VerdictWord, until_us: int | None = None) -> VerdictNotice:
    return VerdictNotice(sha256, word, "because the test says so", until_us)
