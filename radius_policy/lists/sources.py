"""Hashes out of what people publish: NSRL RDS v3 SQLite, CSV, plain lists, LOLDrivers, golden machines (rpm, dpkg).

Guarantees: every line is looked at; a line that is not understood is an error that names file, line and what is wrong,
never skipped in silence. Hashes come as 64 lower-case digits. Nothing is written, and a file is read as a stream.
"""

import csv
import gzip
import io
import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from radius_policy.lists.golden import is_dpkg_folder, packaged

SHA256: Final = re.compile(r"^[0-9a-f]{64}$")
_SQLITE: Final = b"SQLite format 3\x00"
_OTHER_DIGESTS: Final = {32: "an MD5", 40: "a SHA-1", 56: "a SHA-224", 96: "a SHA-384", 128: "a SHA-512"}
_COLUMNS: Final = ("sha256", "sha-256", "sha_256", "knownvulnerablesamples_sha256", "hash", "indicator", "value")
MOST_ERRORS: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One hash of a source: where it stood and what the source says about it ('' where it says nothing)."""

    line: int
    sha256: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was refused; `line` counts from 1."""

    line: int
    what: str


class SourceError(Exception):
    """The file was refused. The message names the first lines that are wrong, `bad` all that were looked at."""

    def __init__(self, path: Path, bad: Iterable[BadLine], more: bool = False) -> None:
        self.bad = tuple(bad)
        lines = [
            f"{path}:{each.line}: {each.what}" if each.line else f"{path}: {each.what}"
            for each in self.bad[:MOST_ERRORS]
        ]
        if more or len(self.bad) > MOST_ERRORS:
            lines.append(f"{path}: … and more lines like these; nothing was taken from this file")
        super().__init__("\n".join(lines))


def read(path: Path) -> Iterator[Entry]:
    """All hashes of a file, whatever its form, in its order. Raises SourceError at its end where lines were wrong, so
    take nothing before it ended (`whole` does that); OSError where it cannot be read."""
    if path.is_dir():
        yield from _golden(path)
        return
    with path.open("rb") as raw:
        head = raw.read(4096)
    if head.startswith(_SQLITE):
        yield from _sqlite(path)
        return
    zipped = head.startswith(b"\x1f\x8b")
    with path.open("rb") as raw:
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if zipped else raw)
        with io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="") as text:
            try:
                start = text.read(2048)
                text.seek(0)
                yield from _collected(path, _form_of(start)(text))
            except (gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
                raise SourceError(path, [BadLine(0, f"not readable: {error}")]) from error


def _golden(path: Path) -> Iterator[Entry]:
    if not is_dpkg_folder(path):
        raise SourceError(path, [BadLine(0, "a folder, but not the dpkg folder of a machine (…/var/lib/dpkg)")])
    for number, (sha, text) in enumerate(packaged(path), 1):
        yield Entry(number, sha, text)


def whole(path: Path, progress: Callable[[int], None] | None = None) -> list[Entry]:
    """All hashes of a file, or SourceError and none. `progress` hears the count every 10,000 lines."""
    out: list[Entry] = []
    for entry in read(path):
        out.append(entry)
        if progress is not None and len(out) % 10_000 == 0:
            progress(len(out))
    return out


def wrong_hash(text: str) -> str | None:
    """Why a text is no SHA-256 (in lower case), or None where it is one."""
    if SHA256.match(text):
        return None
    if not text:
        return "no hash"
    if len(text) in _OTHER_DIGESTS and re.fullmatch(r"[0-9a-f]+", text):
        return f"{_OTHER_DIGESTS[len(text)]}, which does not identify a file here; a SHA-256 has 64 digits"
    return f"{text[:70]!r} is no SHA-256 (64 hexadecimal digits)"


def _collected(path: Path, items: Iterable[Entry | BadLine]) -> Iterator[Entry]:
    bad: list[BadLine] = []
    found = False
    for item in items:
        found = True
        if isinstance(item, Entry):
            wrong = wrong_hash(item.sha256)
            if wrong is None:
                yield item
                continue
            bad.append(BadLine(item.line, wrong))
        else:
            bad.append(item)
        if len(bad) > MOST_ERRORS:
            raise SourceError(path, bad, more=True)
    if not found:
        bad.append(BadLine(0, "no hash in this file"))
    if bad:
        raise SourceError(path, bad)


def _form_of(start: str) -> Callable[[IO[str]], Iterator[Entry | BadLine]]:
    first = next((line for line in start.splitlines() if line.strip() and not line.startswith("#")), "")
    if first.lstrip()[:1] in ("[", "{"):
        return _json
    if _column(next(csv.reader([first]), [])) is not None:
        return _csv
    return _rpm_dump if re.match(r"^/\S.* \d+ \d+ [0-9a-f]{40,128} 0\d+ ", first) else _plain


def _column(header: list[str]) -> int | None:
    names = [name.strip().lower() for name in header]
    return next((names.index(name) for name in _COLUMNS if name in names), None)


def _csv(text: IO[str]) -> Iterator[Entry | BadLine]:
    rows = csv.reader(line for line in text if not line.startswith("#"))
    header = next(rows)
    index = _column(header)
    assert index is not None  # noqa: S101 - the form was chosen by it
    names = [name.strip().lower() for name in header]
    says = next(
        (
            names.index(n)
            for n in ("why", "text", "family", "product", "file_name", "filename", "tags", "category", "path")
            if n in names
        ),
        None,
    )
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            yield BadLine(rows.line_num, f"{len(row)} columns, the header has {len(header)}")
            continue
        said = row[says].strip() if says is not None else ""
        hashes = [
            part.strip().strip("'\"").lower() for part in re.split(r"[,;\s]+", row[index].strip("[] ")) if part.strip()
        ]
        for sha in hashes or ([""] if names[index] != "knownvulnerablesamples_sha256" else []):
            yield Entry(rows.line_num, sha, said)


def _plain(text: IO[str]) -> Iterator[Entry | BadLine]:
    """One hash a line, as `sha256sum` writes them too; what follows is what the source says."""
    for number, line in enumerate(text, 1):
        bare = line.strip()
        if not bare or bare.startswith(("#", ";", "//")):
            continue
        sha, _, said = bare.partition(" ")
        yield Entry(number, sha.rstrip(",;").strip("'\"\\").lower(), said.strip().lstrip("*#, "))


def _rpm_dump(text: IO[str]) -> Iterator[Entry | BadLine]:
    """`rpm -qa --dump` of a golden machine: path size mtime digest mode owner group isconfig isdoc rdev symlink."""
    for number, line in enumerate(text, 1):
        parts = line.rstrip("\n").rsplit(" ", 10)
        if len(parts) != 11:
            yield BadLine(number, "not a line of `rpm --dump`: path, size, time, digest, mode and six more")
        elif parts[4].startswith("0100") and (set(parts[3]) - {"0"}):
            yield Entry(number, parts[3].lower(), parts[0])


def _json(text: IO[str]) -> Iterator[Entry | BadLine]:
    """LOLDrivers' `drivers.json`, or any list of objects with a SHA256. Samples known by another digest only are left
    out (LOLDrivers has some); a file without any SHA-256 is refused."""
    try:
        document = json.load(text)
    except json.JSONDecodeError as error:
        yield BadLine(error.lineno, f"not valid JSON: {error.msg}")
        return
    except RecursionError:
        yield BadLine(1, "nested too deeply")
        return
    for index, item in enumerate(document if isinstance(document, list) else [document], 1):
        if not isinstance(item, dict):
            yield BadLine(index, f"entry {index} of the list is no object")
            continue
        said = next(
            (str(part) for part in (*_listed(item.get("Tags")), item.get("Filename"), item.get("name")) if part), ""
        )
        samples = item.get("KnownVulnerableSamples") or [item]
        for sample in _listed(samples):
            sha = (
                next((value for key, value in sample.items() if key.lower() == "sha256"), None)
                if isinstance(sample, dict)
                else None
            )
            if sha not in (None, "", "-"):
                yield Entry(index, str(sha).strip().lower(), said)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _sqlite(path: Path) -> Iterator[Entry]:
    """NSRL RDS v3: table FILE (minimal sets too), opened read-only."""
    with closing(sqlite3.connect(f"file:{path.resolve().as_uri()[7:]}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            columns = {row[1].lower() for row in connection.execute("PRAGMA table_info(FILE)")}
            if "sha256" not in columns:
                raise SourceError(path, [BadLine(0, "no table FILE with a column sha256: this is no NSRL RDS v3 set")])
            bad: list[BadLine] = []
            for number, (sha,) in enumerate(connection.execute("SELECT sha256 FROM FILE"), 1):
                text = str(sha).lower()
                if SHA256.match(text):
                    yield Entry(number, text)
                else:
                    bad.append(BadLine(number, wrong_hash(text) or "no hash"))
                    if len(bad) > MOST_ERRORS:
                        raise SourceError(path, bad, more=True)
            if bad:
                raise SourceError(path, bad)
        except sqlite3.DatabaseError as error:
            raise SourceError(path, [BadLine(0, f"not a readable SQLite database: {error}")]) from error
