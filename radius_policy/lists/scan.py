"""What executables would a coming roll-out bring? A package, an archive or a folder, listed with hashes, nothing run.

Understood: folders, deb, rpm, zip (jar, whl, nupkg, appx too) and msi, the last by the program `msiextract` (package
msitools) where it is installed. Contents are streamed; a member is never written under a name of its own, and what
unpacks to more than `MOST_BYTES` is refused. What it lists is a preview: whether to allow it is a person's decision.
"""

import bz2
import gzip
import hashlib
import lzma
import shutil
import stat
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

MOST_BYTES: Final = 16 << 30
MOST_FILES: Final = 500_000
_CHUNK: Final = 1 << 20
_SCRIPTS: Final = (
    ".bat",
    ".cmd",
    ".js",
    ".jse",
    ".ps1",
    ".psm1",
    ".vbe",
    ".vbs",
    ".wsf",
    ".hta",
    ".py",
    ".pl",
    ".rb",
    ".sh",
    ".scr",
    ".com",
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RPM: Final = b"\xed\xab\xee\xdb"


class ScanError(Exception):
    """It could not be looked into; the message says why and what to do. Nothing was listed."""


@dataclass(frozen=True, slots=True)
class Found:
    """One executable: its path in the package, its content, and what sort of content it is (`elf`, `pe`, …)."""

    path: str
    sha256: str
    size: int
    kind: str


def scan(path: Path) -> list[Found]:
    """All executables of a package, archive or folder, by path. Raises ScanError."""
    out: list[Found] = []
    total = 0
    try:
        for number, (name, stream) in enumerate(_members(path), 1):
            found, size = _look(name, stream, MOST_BYTES - total)
            total += size
            if number > MOST_FILES:
                raise ScanError(f"{path} holds more than {MOST_FILES} files; scan its parts one by one")
            if found is not None:
                out.append(found)
    except (
        OSError,
        EOFError,
        tarfile.TarError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        struct.error,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise ScanError(f"{path} cannot be read: {error}") from error
    return sorted(out, key=lambda each: each.path)


def kind_of(name: str, head: bytes) -> str | None:
    """What sort of executable content begins like this, or None. The name counts for scripts alone."""
    if head.startswith(b"\x7fELF"):
        return "elf"
    if head.startswith(b"MZ"):
        return "pe"
    if head.startswith(b"#!"):
        return "script"
    if head.startswith(b"\xca\xfe\xba\xbe"):
        return "java"
    if head.startswith(b"PK\x03\x04") and name.lower().endswith((".jar", ".war")):
        return "java"
    return "script" if name.lower().endswith(_SCRIPTS) else None


def _look(name: str, stream: IO[bytes], allowed: int) -> tuple[Found | None, int]:
    digest, size, kind = hashlib.sha256(), 0, None
    while chunk := stream.read(_CHUNK):
        if not size:
            kind = kind_of(name, chunk)
        digest.update(chunk)
        size += len(chunk)
        if size > allowed:
            raise ScanError(f"it unpacks to more than {MOST_BYTES >> 30} GiB at {name}")
    return (Found(name, digest.hexdigest(), size, kind) if kind else None), size


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.is_dir():
        yield from _folder(path)
        return
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        if head == b"!<arch>\n":
            yield from _deb(file)
        elif head.startswith(_RPM):
            yield from _rpm(file)
        elif head.startswith(_OLE):
            yield from _msi(path)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _zip(file)
        else:
            yield path.name, file


def _folder(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for inner in sorted(path.rglob("*")):
        if inner.is_symlink() or not stat.S_ISREG(inner.lstat().st_mode):
            continue
        with inner.open("rb") as file:
            yield inner.relative_to(path).as_posix(), file


def _zip(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield member.filename, stream


def _deb(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """deb(5): an ar archive of debian-binary, control.tar.* and data.tar.*; scripts of control run at installation."""
    file.seek(8)
    found = False
    while len(header := file.read(60)) == 60:
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        start = file.tell()
        if name.startswith(("data.tar", "control.tar")):
            found = True
            with (
                _unpacked(file, name.rpartition(".")[2], size) as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                prefix = "" if name.startswith("data") else "DEBIAN/"
                for member in tar:
                    inner = tar.extractfile(member) if member.isreg() else None
                    if inner is not None:
                        yield prefix + member.name.removeprefix("./"), inner
        file.seek(start + size + size % 2)
    if not found:
        raise ScanError("this ar archive is no Debian package: it has no data.tar")


def _rpm(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """rpm: a lead of 96 octets, the signature header (padded to 8), the header, then the compressed cpio payload."""
    file.seek(96)
    _skip_header(file, pad=True)
    _skip_header(file, pad=False)
    magic = file.read(6)
    file.seek(-len(magic), 1)
    form = next((form for start, form in _MAGICS if magic.startswith(start)), "tar")
    with _unpacked(file, form, None) as stream:
        yield from _cpio(stream)


_MAGICS: Final = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)


def _skip_header(file: IO[bytes], *, pad: bool) -> None:
    magic, count, size = struct.unpack(">4s4x2L", file.read(16))
    if magic != b"\x8e\xad\xe8\x01":
        raise ScanError("this rpm is damaged: a header does not begin as one")
    length = 16 * count + size
    file.seek(length + (-length % 8 if pad else 0), 1)


def _cpio(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """The "new ASCII" form of cpio: 110 octets of hexadecimal fields, the name, the content, each padded to 4."""
    while True:
        header = _exactly(stream, 110)
        if header[:6] not in (b"070701", b"070702"):
            raise ScanError("this rpm's payload is no cpio archive of the usual form")
        mode, size, length = int(header[14:22], 16), int(header[54:62], 16), int(header[94:102], 16)
        name = _exactly(stream, length).rstrip(b"\x00").decode("utf-8", "replace")
        _exactly(stream, -(110 + length) % 4)
        if name == "TRAILER!!!":
            return
        content = _Part(stream, size)
        if stat.S_ISREG(mode):
            yield name.removeprefix("./"), content  # type: ignore[misc]
        while content.read(_CHUNK):
            pass
        _exactly(stream, -size % 4)


class _Part:
    """The next `left` octets of a stream, as a stream."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream, self._left = stream, left

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = _exactly(self._stream, wanted)
        self._left -= len(data)
        return data


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = stream.read(size - len(data))
        if not chunk:
            raise ScanError("it is cut off")
        data += chunk
    return bytes(data)


@contextmanager
def _unpacked(file: IO[bytes], form: str, size: int | None) -> Iterator[IO[bytes]]:
    """The stream of one compressed member, which begins where `file` stands."""
    with tempfile.TemporaryFile() as copy:
        if size is None:
            shutil.copyfileobj(file, copy)
        else:
            copy.write(_exactly(file, size))
        copy.seek(0)
        if form == "zst":
            with _by_program(("zstd", "-dcq"), copy, "zstd") as stream:
                yield stream
            return
        openers = {"gz": gzip.open, "xz": lzma.open, "lzma": lzma.open, "bz2": bz2.open}
        if form in openers:
            with openers[form](copy, "rb") as stream:  # type: ignore[operator]
                yield stream
        elif form == "tar":
            yield copy
        else:
            raise ScanError(f"its content is compressed as {form}, which is not understood here")


@contextmanager
def _by_program(command: tuple[str, ...], source: IO[bytes], package: str) -> Iterator[IO[bytes]]:
    if shutil.which(command[0]) is None:
        raise ScanError(f"the program {command[0]} is needed to look into it: install the package {package}")
    with subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            yield process.stdout
        finally:
            process.kill()


def _msi(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if shutil.which("msiextract") is None:
        raise ScanError("the program msiextract is needed to look into an msi: install the package msitools")
    with tempfile.TemporaryDirectory(prefix="pratique-scan-") as folder:
        done = subprocess.run(
            ["msiextract", "-C", folder, str(path.resolve())], capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise ScanError(f"msiextract could not unpack it: {done.stderr.strip() or done.returncode}")
        yield from _folder(Path(folder))
