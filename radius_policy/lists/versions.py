"""Is one version at least another? Dotted numbers compared as numbers; what cannot be compared is not at least it."""

import re
from typing import Final

_PARTS: Final = re.compile(r"^[vV]?(\d+(?:[.,_]\s?\d+)*)(.*)$", re.DOTALL)


def at_least(version: object, minimum: str) -> bool:
    """Whether `version` is `minimum` or newer. A pre-release (`2.0-beta`) is older than its release. False where either
    side is no version: an unknown value is never fine. An empty minimum is met by every version that is one."""
    mine, other = _key(version), _key(minimum or "0")
    return mine is not None and other is not None and mine >= other


def _key(version: object) -> tuple[tuple[int, ...], bool] | None:
    match = _PARTS.match(version.strip()) if isinstance(version, str) else None
    if match is None:
        return None
    numbers = [int(part) for part in re.split(r"[.,_]\s?", match[1])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = match[2].strip().lower()
    return tuple(numbers), not re.match(r"^[-. ]?(?:alpha|beta|rc|pre|dev|preview|a\d|b\d|nightly|snapshot)", rest)
