"""Which package owns a file, by dpkg's own lists."""

from pathlib import Path

import pytest

from health_agent.provenance.dpkg import Owned, owners

STATUS = """Package: coreutils
Status: install ok installed
Architecture: amd64
Version: 9.1-1
Description: basic tools
 Package: not-a-field

Package: libx
Status: install ok installed
Architecture: amd64
Version: 2.0

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""
MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    info = tmp_path / "dpkg" / "info"
    info.mkdir(parents=True)
    (tmp_path / "dpkg" / "status").write_text(STATUS)
    (info / "coreutils.md5sums").write_text(f"{MD5}  bin/cat\n{MD5}  usr/bin/env\nnonsense\n")
    (info / "libx:amd64.md5sums").write_text(f"{MD5}  usr/lib/libx tool\n")
    (info / "gone.md5sums").write_text(f"{MD5}  usr/bin/gone\n")
    return tmp_path


def owned(root: Path, *paths: str) -> dict[str, Owned]:
    found = owners([str(root / path) for path in paths], root / "dpkg", root)
    return {path.removeprefix(f"{root}/"): owner for path, owner in found.items()}


def test_files_of_installed_packages_have_an_owner(root: Path) -> None:
    assert owned(root, "usr/bin/env", "usr/lib/libx tool", "usr/bin/own") == {
        "usr/bin/env": Owned("deb:coreutils@9.1-1", MD5),
        "usr/lib/libx tool": Owned("deb:libx@2.0", MD5),
    }


def test_files_that_lie_in_a_merged_folder_are_found_under_usr(root: Path) -> None:
    assert owned(root, "usr/bin/cat")["usr/bin/cat"].package == "deb:coreutils@9.1-1"


def test_a_package_that_was_removed_owns_nothing(root: Path) -> None:
    assert owned(root, "usr/bin/gone") == {}


def test_where_there_is_no_dpkg_nothing_is_owned(tmp_path: Path) -> None:
    assert owners(["/bin/cat"], tmp_path) == {}
