"""The fanotify sensor: every start on the watched file systems, read through the descriptor that the kernel hands over.

Guarantees. No start is missed while the queue is unlimited; an overflow is counted all the same. The hash is that of the
file that was started, deleted or not. The end of each start it told is told once, when the last process that shows
its image is gone: a program that forks and leaves its first process (a daemon) has not ended.

Deliberately not: it holds nothing (FAN_CLASS_NOTIF; a hanging agent never hangs the machine), and it does not see
memfd programs, file systems mounted later, or the script behind `python x.py` (its interpreter is seen). A *file
system* is watched, not a folder: a bind mount or hard link elsewhere hides nothing.
"""

import errno
import os
import resource
import select
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from health_agent import contract
from health_agent.contract import Kind
from health_agent.dialogue import Ended, Event, Swept
from health_agent.processes import lives, process
from health_agent.sensors import SensorError, Surroundings
from health_agent.sensors import fanotify_syscalls as fan
from health_agent.sensors.mounts import watchable
from health_agent.sensors.observing import Observer

BUFFER: Final = 8 << 10
"""Room for 256 events, which bring up to 512 descriptors: an event for which none is free would be lost."""
SPARE: Final = 1024
"""Descriptors that pidfds of watched starts leave free."""
HEIRS_S: Final = 0.05
"""Ends are looked through for heirs after so long, together: a walk through /proc costs milliseconds."""
TOGETHER_S: Final = 0.002
"""Starts that were read together are told together, but none waits longer than this for the next one's hash."""
_WHY: Final = {
    errno.EPERM: "fanotify needs the right CAP_SYS_ADMIN (run the agent as root)",
    errno.ENOSYS: "this kernel has no fanotify",
}


Image = tuple[int, int]
"""Device and inode of a program's file."""


@dataclass(frozen=True, slots=True)
class _Watched:
    token: int
    pid: int
    image: Image | None


class FanotifySensor:
    """Marks the file systems that hold `paths` (empty: all local ones). Raises SensorError."""

    kind = contract.Sensor.FANOTIFY

    def __init__(self, paths: list[str], around: Surroundings) -> None:
        self._around = around
        self._observer = Observer(around)
        self._token = 0
        self._watched: dict[int, _Watched] = {}
        self._pidfds: dict[int, int] = {}
        self._limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE
        self._unwatch: deque[int] = deque()
        self._ended: dict[int, tuple[int, Image | None]] = {}
        self._look_at = 0.0
        self._told: list[Event] = []
        self._told_since = 0.0
        self._stopping = False
        self._group, self._has_pidfd = _group()
        self._everything = not paths
        self._devices = self._mark(paths or watchable())
        self._poll = select.epoll()
        self._poll.register(self._group, select.EPOLLIN)
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll.register(self._bell, select.EPOLLIN)

    def run(self) -> None:
        chore: Iterator[None] | None = self._sweep()
        while not self._stopping:
            for descriptor, _ in self._poll.poll(self._patience(busy=chore is not None)):
                if descriptor == self._group:
                    self._read()
                elif descriptor == self._bell:
                    os.eventfd_read(self._bell)
                else:
                    self._exited(descriptor)
            self._flush()
            self._drop_unwatched()
            self._look_for_heirs()
            if chore is None and self._observer.owes:
                chore = self._observer.owed()
            if chore is not None and not _step(chore):
                chore = None
            self._flush()
        self._close()

    def unwatch(self, token: int) -> None:
        self._unwatch.append(token)
        os.eventfd_write(self._bell, 1)

    def stop(self) -> None:
        self._stopping = True
        os.eventfd_write(self._bell, 1)

    # -- starts ------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            buffer = os.read(self._group, BUFFER)
        except BlockingIOError:
            return
        for event in fan.events(buffer):
            if event.mask & fan.Q_OVERFLOW:
                self._around.counts["overflow"] += 1
            if event.file >= 0:
                self._start(event)
            if self._told and time.monotonic() - self._told_since > TOGETHER_S:
                self._flush()

    def _start(self, event: fan.FileEvent) -> None:
        now, pidfd = self._around.now_us(), event.pidfd
        try:
            content = self._observer.content(event.file)
            if self._observer.known(content):
                return
            token = self._next_token()
            started = self._observer.started(token, event.file, event.pid, content, now)
            self._tell(started)
            if pidfd < 0 and not self._has_pidfd:
                pidfd = _open_pidfd(event.pid)
            image = None if started.kind is Kind.SCRIPT else _file_id(event.file)
            watching, pidfd = pidfd, -1
            self._watch(token, watching, event.pid, image)
        finally:
            os.close(event.file)
            if pidfd >= 0:
                os.close(pidfd)

    def _tell(self, event: Event) -> None:
        if not self._told:
            self._told_since = time.monotonic()
        self._told.append(event)

    def _flush(self) -> None:
        if self._told:
            told, self._told = self._told, []
            self._around.emit(told)

    def _sweep(self) -> Iterator[None]:
        """What is alive already, one process at a step."""
        for name in os.listdir("/proc"):
            if name.isdigit():
                yield from self._alive(int(name))
        self._tell(Swept())

    def _alive(self, pid: int) -> Iterator[None]:
        try:
            file = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # a kernel thread, or gone
        try:
            status = os.fstat(file)
            here = process(pid)
            in_memory = self._everything and os.readlink(f"/proc/self/fd/{file}").startswith("/memfd:")
            if here is None or not (in_memory or status.st_dev in self._devices):
                return
            content = yield from self._observer.contents.reading(file)
            if not self._observer.known(content):
                token = self._next_token()
                now = self._around.now_us()
                self._tell(self._observer.started(token, file, pid, content, now, alive_at_start=True))
                self._watch(token, _open_pidfd(pid), pid, _file_id(file))
        except OSError:
            self._around.counts["unreadable"] += 1
        finally:
            os.close(file)
        yield

    def _next_token(self) -> int:
        self._token += 1
        return self._token

    # -- ends --------------------------------------------------------------------------------------------------------

    def _watch(self, token: int, pidfd: int, pid: int, image: Image | None) -> None:
        """Tell the end of this start when its process is gone, or soon if it is gone already (a negative pidfd)."""
        if pidfd < 0:
            self._ended[token] = (self._around.now_us(), image)
        elif len(self._watched) >= self._limit:
            os.close(pidfd)
            self._around.counts["ends_unwatched"] += 1
        else:
            self._poll.register(pidfd, select.EPOLLIN)
            self._watched[pidfd] = _Watched(token, pid, image)
            self._pidfds[token] = pidfd

    def _exited(self, pidfd: int) -> None:
        if watched := self._release(pidfd):
            self._ended[watched.token] = (self._around.now_us(), watched.image)

    def _release(self, pidfd: int) -> _Watched | None:
        watched = self._watched.pop(pidfd, None)
        if watched is not None:
            self._pidfds.pop(watched.token, None)
            self._poll.unregister(pidfd)
            os.close(pidfd)
        return watched

    def _drop_unwatched(self) -> None:
        while self._unwatch:
            token = self._unwatch.popleft()
            self._ended.pop(token, None)
            if (pidfd := self._pidfds.get(token)) is not None:
                self._release(pidfd)

    def _look_for_heirs(self) -> None:
        """Tell the ends, but of a start whose image another process still shows go on watching that one.

        Not at once: the walk through /proc must not get in the way of a start being reported.
        """
        if not self._ended:
            return
        now = time.monotonic()
        self._look_at = self._look_at or now + HEIRS_S
        if now < self._look_at:
            return
        self._look_at = 0.0
        ended, self._ended = self._ended, {}
        showing = _processes_by_image({image for _, image in ended.values() if image})
        watched = {entry.pid for entry in self._watched.values()}
        for token, (when, image) in ended.items():
            heirs = [pid for pid in showing.get(image, ()) if pid not in watched] if image else []
            heir = next(((pid, pidfd) for pid in heirs if (pidfd := _open_pidfd(pid)) >= 0), None)
            if heir is None:
                self._tell(Ended(token, when))
            else:
                watched.add(heir[0])
                self._watch(token, heir[1], heir[0], image)
        self._flush()

    def _patience(self, *, busy: bool) -> float | None:
        if busy:
            return 0
        return max(self._look_at - time.monotonic(), 0) if self._ended else None

    # -- beginning and end -------------------------------------------------------------------------------------------

    def _mark(self, paths: list[str]) -> set[int]:
        devices: set[int] = set()
        failures: list[str] = []
        for path in paths:
            try:
                fan.mark(self._group, fan.MARK_ADD | fan.MARK_FILESYSTEM, fan.OPEN_EXEC, path)
                devices.add(os.stat(path).st_dev)
            except OSError as error:
                failures.append(f"{path}: {error.strerror}")
        if not devices:
            os.close(self._group)
            raise SensorError("fanotify cannot watch " + ("; ".join(failures) or "anything here"))
        self._around.counts["unwatched_filesystems"] += len(failures)
        return devices

    def _close(self) -> None:
        for pidfd in list(self._watched):
            self._release(pidfd)
        self._poll.close()
        os.close(self._group)
        os.close(self._bell)


def _group() -> tuple[int, bool]:
    """A notification group, with pidfds where the kernel has them (5.15)."""
    flags = fan.CLOEXEC | fan.NONBLOCK | fan.CLASS_NOTIF | fan.UNLIMITED_QUEUE | fan.UNLIMITED_MARKS
    for pidfds in (True, False):
        try:
            return fan.init(flags | (fan.REPORT_PIDFD if pidfds else 0)), pidfds
        except OSError as error:
            if not pidfds or error.errno != errno.EINVAL:
                raise SensorError(
                    _WHY.get(error.errno or 0, f"fanotify does not work here: {error.strerror}")
                ) from error
    raise AssertionError("unreachable")


def _open_pidfd(pid: int) -> int:
    """A pidfd of this process, or -1 when it is gone."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _file_id(file: int) -> Image:
    status = os.fstat(file)
    return status.st_dev, status.st_ino


def _step(chore: Iterator[None]) -> bool:
    """Do a little of it; whether there is more."""
    try:
        next(chore)
    except StopIteration:
        return False
    return True


def _processes_by_image(images: set[Image]) -> dict[Image, list[int]]:
    """The living processes that show one of these images."""
    showing: dict[Image, list[int]] = {}
    for name in os.listdir("/proc") if images else ():
        if name.isdigit():
            try:
                status = os.stat(f"/proc/{name}/exe")
            except OSError:
                continue  # a kernel thread, or gone
            image = (status.st_dev, status.st_ino)
            here = process(int(name)) if image in images else None
            if here is not None and lives(here.pid, here.birth):
                showing.setdefault(image, []).append(here.pid)
    return showing
