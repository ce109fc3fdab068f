"""Which file systems programs can start from."""

from health_agent.sensors.mounts import watchable

MOUNTINFO = """22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /dev/shm rw shared:5 - tmpfs tmpfs rw
25 22 254:0 /home /srv/bind rw - ext4 /dev/vda rw
26 22 0:30 / /media/My\\040Disk rw - vfat /dev/sdb1 rw
27 22 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup rw
broken line
"""


def test_each_file_system_that_holds_programs_once() -> None:
    assert watchable(MOUNTINFO) == ["/", "/dev/shm", "/media/My Disk"]


def test_this_machine_has_at_least_one() -> None:
    assert watchable()
