"""Where a file lies, in a form that survives an update and another user: values, nothing is trusted here.

`place(path)` gives the folder with the user's name, version folders and random folders normalised away, so that
`C:\\Users\\ann\\AppData\\Local\\chat\\app-1.2.3\\chat.exe` and `...\\bob\\...\\app-1.3.0\\chat.exe` share one root.
Windows paths are compared without case, others with it. It looks at text only, never at a disk, and it never says
that a place is good: no rule may trust by place alone (tables.md, Grace rules).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from radius_policy.quick import maker

_WINDOWS: Final = re.compile(r"^(?:[A-Za-z]:|\\\\)")
_VERSION: Final = re.compile(
    r"^(?:app-.*\d.*|(?:v|ver|version|release|build|r)?[-_. ]?\d+(?:[._]\d+)+(?:[-+_.~]?[\w.+~-]*)?|v?\d+)$"
)
_NAMED_VERSION: Final = re.compile(r"^(.*[a-z])[-_ ]v?\d+(?:[._]\d+)+(?:[-+_.][\w.+-]*)?$", re.IGNORECASE)
_RANDOM: Final = re.compile(r"^(?:\{?[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\}?|[0-9a-fA-F]{8,})$")
HOMES: Final = {"users": 1, "home": 1, "documents and settings": 1}
_TEMPORARY: Final = frozenset(("temp", "tmp", "shm", "temporary internet files", "inetcache"))
_SYSTEM: Final = frozenset(("windows", "usr", "bin", "sbin", "lib", "lib64", "winnt", "system"))
_PROGRAMS: Final = frozenset(("program files", "program files (x86)", "programdata", "opt", "applications", "snap"))
_HELPERS: Final = frozenset(("bin", "update", "updater", "updates", "current"))
_SHARED: Final = frozenset(
    (
        "appdata",
        "local",
        "locallow",
        "roaming",
        "programs",
        "desktop",
        "documents",
        "*",
        "system32",
        "syswow64",
        ".local",
        "share",
        ".config",
        ".cache",
        "common files",
        "local settings",
        "application data",
    )
)

KINDS: Final = ("system", "programs", "user", "downloads", "temp", "other")


@dataclass(frozen=True, slots=True)
class Place:
    """`path` is the whole path as compared, `folder` its folder, `root` the folder normalised, `name` the file's name,
    `kind` one of `KINDS`: a coarse word for rules that exclude places, never a reason for trust."""

    path: str
    folder: str
    root: str
    name: str
    kind: str


_place: Callable[..., Place] = maker(Place)


def comparable(path: str) -> str:
    """A path as it is compared: Windows paths in lower case with backslashes, others as they are."""
    if _WINDOWS.match(path):
        return path.replace("/", "\\").rstrip("\\").lower()
    return path.rstrip("/") or "/"


def under(path: str, folder: str) -> bool:
    """Whether a comparable path is the folder or lies in it."""
    return path == folder or (path.startswith(folder) and (folder[-1:] in ("/", "\\") or path[len(folder)] in "/\\"))


@lru_cache(maxsize=65_536)
def place(path: str) -> Place:
    """The place of one file. Never raises: whatever an endpoint sends as a path has a place."""
    if _WINDOWS.match(path):
        whole, separator = path.replace("/", "\\").rstrip("\\").lower(), "\\"
    else:
        whole, separator = path.rstrip("/") or "/", "/"
    folder, _, name = whole.rpartition(separator)
    root, kind = _shape(_anybody(folder, separator), separator)
    return _place(whole, folder, root, name, kind)


@lru_cache(maxsize=65_536)
def home(path: str) -> str | None:
    """The home folder (comparable, not normalised) of a program: the folder it lies in. None where that folder is
    shared by programs that have nothing to do with each other (`System32`, `Program Files`, `AppData\\Local`, `Temp`)."""
    here = place(path)
    separator = "\\" if _WINDOWS.match(here.path) else "/"
    above = _above(_anybody(here.folder, separator), separator)
    if above is None:
        return None
    return here.folder.rpartition(separator)[0] if above else here.folder


def root_of(folder: str) -> str:
    """A comparable folder, normalised as `place` does it."""
    separator = "\\" if _WINDOWS.match(folder) else "/"
    return _shape(_anybody(folder, separator), separator)[0]


def _anybody(folder: str, separator: str) -> str:
    """The folder with the user's name as `*`: what is worked out for one user holds for all."""
    first = folder.find(separator)
    second = folder.find(separator, first + 1) if first >= 0 else -1
    if second < 0 or folder[first + 1 : second] not in HOMES:
        return folder
    third = folder.find(separator, second + 1)
    return f"{folder[: second + 1]}*{folder[third:] if third >= 0 else ''}"


@lru_cache(maxsize=65_536)
def _shape(folder: str, separator: str) -> tuple[str, str]:
    """Root and kind of a folder."""
    parts = folder.split(separator)
    return separator.join(_normal(parts)), _kind(parts)


@lru_cache(maxsize=65_536)
def _above(folder: str, separator: str) -> bool | None:
    """Whether a program's home is the folder above its own (which is a helper's); None where it has none."""
    outer, _, last = folder.rpartition(separator)
    above = last in _HELPERS and outer.count(separator) > 1 and not _is_shared(outer, separator)
    if _shape(folder, separator)[1] in ("temp", "downloads", "system"):
        return None
    return None if _is_shared(outer if above else folder, separator) else above


def _is_shared(folder: str, separator: str) -> bool:
    inner = _shape(folder, separator)[0].split(separator)
    last = inner[-1]
    return len(inner) < 3 or last in _SHARED or last in _PROGRAMS or last in _SYSTEM


def _normal(parts: list[str]) -> list[str]:
    out = parts[:2]
    user = _user_index(parts)
    for index, part in enumerate(parts[2:], 2):
        normal = "*" if index == user else _normal_part(part)
        if normal is not None:
            out.append(normal)
    return out


@lru_cache(maxsize=65_536)
def _normal_part(part: str) -> str | None:
    """One folder's name without its version; `*` for a random one, None for one that is nothing but a version."""
    if _RANDOM.match(part):
        return "*"
    if _VERSION.match(part):
        return None
    named = _NAMED_VERSION.match(part)
    return named.group(1) if named else part


def _user_index(parts: list[str]) -> int:
    return 2 if len(parts) > 2 and parts[1] in HOMES else -1


def _kind(parts: list[str]) -> str:
    inner = [part.lower() for part in parts[1:]]
    if any(part in _TEMPORARY for part in inner):
        return "temp"
    if (inner[:1] and inner[0] in HOMES) or inner[:1] == ["root"]:
        return "downloads" if "downloads" in inner else "user"
    if inner[:2] == ["usr", "local"]:
        return "programs"
    if inner[:1] and inner[0] in _SYSTEM:
        return "system"
    if inner[:1] and inner[0] in _PROGRAMS:
        return "programs"
    return "other"
