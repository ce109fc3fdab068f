"""What a coming roll-out would bring: every package form gives the same list, and damage is told in a sentence."""

import bz2
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius_policy.lists import scan as scan_module
from radius_policy.lists.scan import ScanError, kind_of, scan

ELF = b"\x7fELF" + b"e" * 5_000
PE = b"MZ" + b"p" * 3_001
SCRIPT = b"#!/bin/sh\nexit 0\n"
FILES = {
    "opt/app/bin/app": ELF,
    "opt/app/run.sh": SCRIPT,
    "opt/app/app.exe": PE,
    "opt/app/readme.txt": b"text",
    "opt/app/empty": b"",
}
EXPECTED = [
    ("opt/app/app.exe", "pe", sha256(PE).hexdigest()),
    ("opt/app/bin/app", "elf", sha256(ELF).hexdigest()),
    ("opt/app/run.sh", "script", sha256(SCRIPT).hexdigest()),
]


def listed(path: Path) -> list[tuple[str, str, str]]:
    return [(each.path, each.kind, each.sha256) for each in scan(path) if not each.path.startswith("DEBIAN/")]


def folder(at: Path) -> Path:
    for name, content in FILES.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (at / "link").symlink_to("opt/app/bin/app")
    return at


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("opt/")
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo("./" + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def deb(path: Path, squeeze: Callable[[bytes], bytes] = lzma.compress, ending: str = "xz") -> Path:
    """As deb(5) says."""
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": gzip.compress(tar({"postinst": SCRIPT, "control": b"Package: x\n"})),
        f"data.tar.{ending}": squeeze(tar(FILES)),
    }
    out = b"!<arch>\n"
    for name, content in members.items():
        out += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
            + content
            + b"\n" * (len(content) % 2)
        )
    path.write_bytes(out)
    return path


def cpio(files: dict[str, bytes]) -> bytes:
    out = b""
    for name, content in [*files.items(), ("TRAILER!!!", b"")]:
        named = ("./" + name if name != "TRAILER!!!" else name).encode() + b"\0"
        fields = (1, 0o100755, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(named), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + named + b"\0" * (-(110 + len(named)) % 4)
        out += content + b"\0" * (-len(content) % 4)
    return out


def rpm(path: Path, squeeze: Callable[[bytes], bytes] = gzip.compress) -> Path:
    def header(size: int) -> bytes:
        return b"\x8e\xad\xe8\x01" + b"\0" * 4 + struct.pack(">LL", 1, size) + b"\0" * 16 + b"\0" * size

    signature = header(5)
    lead = b"\xed\xab\xee\xdb" + b"\0" * 92
    path.write_bytes(lead + signature + b"\0" * (-(16 + 5) % 8) + header(7) + squeeze(cpio(FILES)))
    return path


def test_a_folder_is_listed_without_its_links(tmp_path: Path) -> None:
    assert listed(folder(tmp_path)) == EXPECTED


def test_a_zip_is_listed(tmp_path: Path) -> None:
    assert listed(zipped(tmp_path / "a.zip")) == EXPECTED


@pytest.mark.parametrize(("squeeze", "ending"), [(lzma.compress, "xz"), (gzip.compress, "gz"), (bz2.compress, "bz2")])
def test_a_debian_package_is_listed_with_the_scripts_that_it_runs(
    tmp_path: Path, squeeze: Callable[[bytes], bytes], ending: str
) -> None:
    path = deb(tmp_path / "a.deb", squeeze, ending)
    assert listed(path) == EXPECTED
    assert "DEBIAN/postinst" in [each.path for each in scan(path)]


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb builds the real package")
@pytest.mark.parametrize("form", ["xz", "gzip", "zstd"])
def test_a_package_that_dpkg_built_is_listed(tmp_path: Path, form: str) -> None:
    root = folder(tmp_path / "root")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.de>\nDescription: x\n"
    )
    subprocess.run(
        ["dpkg-deb", f"-Z{form}", "--root-owner-group", "--build", root, tmp_path / "x.deb"],
        check=True,
        capture_output=True,
    )
    assert listed(tmp_path / "x.deb") == EXPECTED


@pytest.mark.parametrize(
    "squeeze", [gzip.compress, lzma.compress, bz2.compress, lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE)]
)
def test_an_rpm_is_listed(tmp_path: Path, squeeze: Callable[[bytes], bytes]) -> None:
    assert listed(rpm(tmp_path / "a.rpm", squeeze)) == EXPECTED


def test_a_single_file_is_listed_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "setup.exe").write_bytes(PE)
    assert listed(tmp_path / "setup.exe") == [("setup.exe", "pe", sha256(PE).hexdigest())]


def test_an_msi_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.msi"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScanError, match="install the package msitools"):
        scan(path)


def test_an_msi_is_listed_by_what_the_program_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "bin" / "msiextract"
    stand_in.parent.mkdir()
    unpacked = folder(tmp_path / "unpacked")
    stand_in.write_text(f'#!/bin/sh\nexec cp -r {unpacked}/opt "$2"\n')
    stand_in.chmod(0o755)
    path = tmp_path / "a.msi"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:/usr/bin:/bin")
    assert listed(path) == EXPECTED


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "MOST_BYTES", 6_000)
    with pytest.raises(ScanError, match="unpacks to more than"):
        scan(zipped(tmp_path / "a.zip"))


@pytest.mark.parametrize("make", [zipped, deb, rpm])
def test_a_cut_off_package_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path / "a")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    with pytest.raises(ScanError):
        scan(path)


def test_a_missing_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="cannot be read"):
        scan(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a", ELF, "elf"),
        ("a.dll", PE, "pe"),
        ("a", SCRIPT, "script"),
        ("a.PS1", b"x", "script"),
        ("A.class", b"\xca\xfe\xba\xbe", "java"),
        ("a.jar", b"PK\x03\x04", "java"),
        ("a.zip", b"PK\x03\x04", None),
        ("a.txt", b"MX", None),
    ],
)
def test_content_tells_the_kind_and_the_name_only_that_of_scripts(name: str, head: bytes, kind: str | None) -> None:
    assert kind_of(name, head) == kind


@settings(deadline=None)
@given(st.sampled_from([zipped, deb, rpm]), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_package_is_listed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], Path], at: int, noise: bytes
) -> None:
    path = make(tmp_path_factory.mktemp("damaged") / "a")
    raw = bytearray(path.read_bytes())
    at %= len(raw)
    raw[at : at + len(noise)] = noise
    path.write_bytes(raw)
    try:
        found = scan(path)
    except ScanError:
        found = []
    assert all(len(each.sha256) == 64 for each in found)
