"""The packaged executables of a golden Debian machine, by SHA-256: dpkg itself keeps MD5 only.

Given the machine's dpkg folder (`…/var/lib/dpkg`, of this machine or of a mounted image), every file whose MD5 is still
the one that its package brought is hashed; changed, missing and linked files are left out, as are files that nobody
could start. Reading only.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from radius_policy.lists.scan import kind_of

_CHUNK = 1 << 20


def is_dpkg_folder(path: Path) -> bool:
    """Whether this is the folder of dpkg's lists (`/var/lib/dpkg` of an image)."""
    return (path / "info").is_dir() and (path / "status").is_file()


def packaged(folder: Path) -> Iterator[tuple[str, str]]:
    """(SHA-256, `package: path`) of each unmodified executable. Raises OSError where dpkg's lists cannot be read."""
    root = folder.resolve().parents[2]
    for listing in sorted((folder / "info").glob("*.md5sums")):
        for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            md5, _, name = line.partition("  ")
            path = root / name
            if ".." in Path(name).parts or path.is_symlink() or not path.is_file():
                continue
            found = _hashed(path, md5)
            if found is not None:
                yield found, f"{listing.stem}: /{name}"


def _hashed(path: Path, md5: str) -> str | None:
    """The SHA-256 of an unmodified executable; None for other files and for those that cannot be read."""
    try:
        with path.open("rb") as file:
            chunk = file.read(_CHUNK)
            if kind_of(path.name, chunk) is None:
                return None
            old, new = hashlib.md5(usedforsecurity=False), hashlib.sha256()
            while chunk:
                old.update(chunk)
                new.update(chunk)
                chunk = file.read(_CHUNK)
    except PermissionError:
        return None  # not ours to read, so not known to be unmodified: it is simply not in the set
    return new.hexdigest() if old.hexdigest() == md5 else None
