"""Which mounted file systems programs can start from (proc_pid_mountinfo(5))."""

from pathlib import Path
from typing import Final

LOCAL: Final = frozenset(
    [
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "f2fs",
        "bcachefs",
        "zfs",
        "tmpfs",
        "ramfs",
        "overlay",
        "squashfs",
        "erofs",
        "iso9660",
        "udf",
        "vfat",
        "exfat",
        "ntfs3",
        "nfs",
        "nfs4",
        "cifs",
    ]
)
"""Types of file systems that hold programs; the rest are the kernel's own views."""


def watchable(mountinfo: str | None = None) -> list[str]:
    """The mount points of all such file systems, each file system once. Raises OSError."""
    text = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape") if mountinfo is None else mountinfo
    points: dict[str, str] = {}
    for line in text.splitlines():
        mount, _, source = line.partition(" - ")
        fields = mount.split()
        if len(fields) > 4 and source.split(" ", 1)[0] in LOCAL:
            points.setdefault(fields[2], _plain(fields[4]))
    return list(points.values())


def _plain(point: str) -> str:
    """Undo the octal escapes of spaces and the like."""
    return point.encode("latin-1", "surrogateescape").decode("unicode_escape") if "\\" in point else point
