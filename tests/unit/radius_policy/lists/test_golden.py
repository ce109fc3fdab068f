"""A golden Debian machine: what dpkg installed and nobody changed is listed by SHA-256."""

from hashlib import md5, sha256
from pathlib import Path

import pytest

from radius_policy.lists.sources import SourceError, whole

ELF, SCRIPT = b"\x7fELF program", b"#!/bin/sh\nexit 0\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root with one package: two good executables, a text, one that was changed, one that is gone, a link."""
    files = {"usr/bin/good": ELF, "usr/bin/run": SCRIPT, "usr/share/readme": b"text", "usr/bin/changed": b"\x7fELF old"}
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text("")
    lines = []
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines.append(f"{md5(content, usedforsecurity=False).hexdigest()}  {name}")
    (tmp_path / "usr/bin/changed").write_bytes(b"\x7fELF new")
    (tmp_path / "usr/bin/link").symlink_to("good")
    lines += [f"{'0' * 32}  usr/bin/gone", f"{'0' * 32}  usr/bin/link", f"{'0' * 32}  ../../etc/passwd"]
    (info / "tool.md5sums").write_text("\n".join(lines) + "\n")
    return tmp_path / "var/lib/dpkg"


def test_unmodified_executables_of_packages_are_listed(machine: Path) -> None:
    assert [(entry.sha256, entry.text) for entry in whole(machine)] == [
        (sha256(ELF).hexdigest(), "tool: /usr/bin/good"),
        (sha256(SCRIPT).hexdigest(), "tool: /usr/bin/run"),
    ]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not the dpkg folder"):
        whole(tmp_path)
