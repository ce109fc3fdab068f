"""Debian's package database, read directly (dpkg itself would take minutes for a whole machine).

Guarantees: a file counts as owned and unmodified only when its MD5 is the one in the package's `md5sums`. That list lies
on the same machine, so it proves integrity against accident and against programs without root's rights, not
against root. Configuration files are not in the lists and are never proven.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ADMIN = Path("/var/lib/dpkg")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True, slots=True)
class Owned:
    """`package` reads `deb:NAME@VERSION`; `md5` is what the package brought (32 hexadecimal digits)."""

    package: str
    md5: str


def owners(paths: Iterable[str], admin: Path = ADMIN, root: Path = Path("/")) -> dict[str, Owned]:
    """Of these real paths, those that an installed package owns. Empty where there is no dpkg. Raises OSError."""
    if not (admin / "status").exists():
        return {}
    wanted = set(paths)
    versions = dict(_versions((admin / "status").read_text("utf-8", "replace")))
    merged = tuple(name + "/" for name in MERGED if (root / name).is_symlink())
    found: dict[str, Owned] = {}
    for sums in sorted((admin / "info").glob("*.md5sums")):
        package = sums.name.removesuffix(".md5sums")
        version = versions.get(package) or versions.get(package.partition(":")[0])
        if version is None:
            continue
        for md5, path in _sums(sums):
            real = os.path.join(root, "usr", path) if path.startswith(merged) else os.path.join(root, path)
            if real in wanted:
                found[real] = Owned(f"deb:{package.partition(':')[0]}@{version}", md5)
    return found


def _sums(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text("utf-8", "surrogateescape").splitlines():
        md5, _, name = line.partition("  ")
        if len(md5) == 32 and name:
            yield md5, name


def _versions(status: str) -> Iterator[tuple[str, str]]:
    """Name and version of each installed package, by `NAME:ARCHITECTURE` too."""
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[:1] != " ")
        name, version = fields.get("Package"), fields.get("Version")
        if name and version and fields.get("Status", "").endswith(" installed"):
            yield name, version
            yield f"{name}:{fields.get('Architecture', '')}", version
