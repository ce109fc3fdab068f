"""The attached sets of an installation: opened once, kept while their setting and their files stay the same.

The setting `reference_sets` is `{"sets": [{"name": "nsrl", "path": "/srv/rds.db", "allows": false}]}`. A set that
cannot be opened is named in `broken` with the reason, and the others go on: a lost file must not stop judgement, and
what it would have allowed is unknown meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from radius_policy.lists.reference import HashSet

SETTING: Final = "reference_sets"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of the setting."""

    name: str
    path: Path
    allows: bool = False


def wanted_sets(value: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """The lines of the setting. Raises ValueError with a sentence where it makes no sense."""
    out: list[Wanted] = []
    for row in value.get("sets", []):
        if not isinstance(row, Mapping) or set(row) - {"name", "path", "allows"}:
            raise ValueError(f"{SETTING}: a set has name, path and allows, not {row!r}")
        name, path, allows = row.get("name"), row.get("path"), row.get("allows", False)
        if (
            not isinstance(name, str)
            or not name
            or not isinstance(path, str)
            or not Path(path).is_absolute()
            or not isinstance(allows, bool)
        ):
            raise ValueError(f"{SETTING}: a set needs a name, an absolute path and allows = true or false: {row!r}")
        if any(name == other.name for other in out):
            raise ValueError(f"{SETTING}: two sets are named {name!r}")
        out.append(Wanted(name, Path(path), allows))
    return tuple(out)


class Attached:
    """Opened sets, in the order of the setting. Indexes are built in `folder`, or beside their sources. Not to be shared
    between threads while `follow` runs."""

    def __init__(self, folder: Path | None = None, progress: Callable[[int], None] | None = None) -> None:
        self._folder, self._progress = folder, progress
        self._open: dict[Wanted, HashSet] = {}
        self.broken: dict[str, str] = {}

    @property
    def sets(self) -> "tuple[HashSet, ...]":
        return tuple(self._open.values())

    def follow(self, value: Mapping[str, Any]) -> "tuple[HashSet, ...]":
        """Open what the setting names now and let go of what it does no longer: that is closed when no policy uses it any
        more. It takes as long as building an index, where there is none. Raises ValueError for a senseless setting."""
        wanted = wanted_sets(value)
        self.broken = {}
        now: dict[Wanted, HashSet] = {}
        for one in wanted:
            if opened := self._opened(one):
                now[one] = opened
        self._open = now
        return self.sets

    def _opened(self, one: Wanted) -> "HashSet | None":
        """The set, or its reason in `broken`."""
        from radius_policy.lists.reference import BadIndex, attach  # with all formats of sources: only when one is used
        from radius_policy.lists.sources import SourceError

        try:
            return self._kept(one) or attach(
                one.name, one.path, allows=one.allows, folder=self._folder, progress=self._progress
            )
        except (OSError, SourceError, BadIndex) as error:
            self.broken[one.name] = str(error)
            return None

    def _kept(self, one: Wanted) -> "HashSet | None":
        """The open set of this line, where its file is still the same."""
        kept = self._open.get(one)
        return kept if kept is not None and kept.is_of(one.path) else None

    def close(self) -> None:
        for each in self._open.values():
            each.close()
        self._open = {}
