"""The programs that were there before watching began: found, hashed, stored, told to the service.

Guarantees: a scan follows no link out of what it was given and never leaves the file systems that hold programs; each
content is one line; `proven` only where a package owns the file *and* its digest fits. The stored baseline is whole or
absent. What the service takes back (`take_back`) stays taken back over restarts, but not over a new scan, which asks
the service anew.

The file: one line for each content, `SHA256 PATH`; taken back ones begin with `-`.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from health_agent.content import Contents, printable
from health_agent.contract import InventoryLine
from health_agent.files import write_whole
from health_agent.provenance.dpkg import owners

ELSEWHERE: Final = ("/proc", "/sys", "/dev", "/run/user")
USUAL: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/etc")
PART: Final = 2000


def usual_places(path_variable: str) -> list[str]:
    """The folders where installed programs are, with those of $PATH."""
    places = [*USUAL, *path_variable.split(os.pathsep)]
    return list(dict.fromkeys(os.path.realpath(place) for place in places if place and os.path.isdir(place)))


def executables(places: Iterable[str]) -> Iterator[str]:
    """The real paths of all regular files with an execute bit below these folders, each once."""
    seen: set[tuple[int, int]] = set()
    for place in places:
        for folder, folders, files in os.walk(place):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in ELSEWHERE]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue  # removed meanwhile
                file = (status.st_dev, status.st_ino)
                if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111 and file not in seen:
                    seen.add(file)
                    yield path


def scan(places: Iterable[str], unreadable: list[str]) -> Iterator[InventoryLine]:
    """Hash all executables below `places`; one line for each content. Files that cannot be read are added to `unreadable`."""
    paths = list(executables(places))
    owned = owners(paths)
    contents = Contents(limit=0)
    told: set[str] = set()
    # Owned files first, so that of several files with one content the proven one speaks for it.
    for path in sorted(paths, key=lambda path: path not in owned):
        owner = owned.get(path)
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            unreadable.append(path)
            continue
        try:
            content = contents.read(file)
            if content.sha256 in told:
                continue
            told.add(content.sha256)
            proven = owner is not None and content.settled and _md5(file) == owner.md5
        except OSError:
            unreadable.append(path)
            continue
        finally:
            os.close(file)
        yield InventoryLine(
            sha256=content.sha256,
            path=printable(path)[:4096],
            size=content.size,
            kind=content.kind,
            package=owner.package if owner else None,
            proven=proven,
        )


def parts(lines: list[InventoryLine]) -> list[tuple[tuple[InventoryLine, ...], bool]]:
    """The lines as inventory messages carry them: at most 2,000 each, the last one marked."""
    cut = [tuple(lines[start : start + PART]) for start in range(0, len(lines), PART)] or [()]
    return [(part, number == len(cut)) for number, part in enumerate(cut, 1)]


def store(path: Path, lines: Iterable[InventoryLine]) -> None:
    """Replace the baseline. Raises OSError."""
    write_whole(path, "".join(f"{line.sha256} {line.path!r}\n" for line in lines).encode())


def read(path: Path) -> tuple[str, ...]:
    """The hashes of the baseline without those taken back; empty where there is none. Raises OSError."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ()
    words = [line.split(" ", 1)[0] for line in lines]
    gone = {word[1:] for word in words if word.startswith("-")}
    return tuple(word for word in words if len(word) == 64 and word not in gone)


def take_back(path: Path, sha256: str) -> None:
    """Let this content be asked anew, durably. Raises OSError."""
    with path.open("a") as file:
        file.write(f"-{sha256}\n")
        file.flush()
        os.fdatasync(file.fileno())


def _md5(file: int) -> str:
    digest, offset = hashlib.md5(usedforsecurity=False), 0
    while chunk := os.pread(file, 1 << 20, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()
