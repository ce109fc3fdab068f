"""The polling sensor: looks at all processes every so often. For machines where the agent may not use fanotify.

Guarantees: a program that is alive at two looks is told, with its hash read through /proc/PID/exe (also of a deleted
file), and its end at the look after it (so marked uncertain). It watches *folders*: programs outside are left out.

Deliberately not, because it cannot: programs that live for less than the interval are found only by luck, and without
the right to look at other users' processes only one's own are seen (counted in `unreadable_processes`).
"""

import os
import threading
from dataclasses import dataclass
from pathlib import PurePosixPath

import psutil

from health_agent import contract
from health_agent.dialogue import Ended, Event, Swept
from health_agent.processes import image_path, process
from health_agent.sensors import Surroundings
from health_agent.sensors.observing import Observer


@dataclass(frozen=True, slots=True)
class _Image:
    """What a process shows: its birth and the file it runs. Another file is another start (exec in place)."""

    birth: int
    device: int
    inode: int


class PollingSensor:
    """Looks every `interval_s` seconds at programs under `paths` (empty: everywhere)."""

    kind = contract.Sensor.POLLING

    def __init__(self, paths: list[str], around: Surroundings, interval_s: float = 1.0) -> None:
        self._around = around
        self._interval_s = interval_s
        self._folders = [PurePosixPath(os.path.realpath(path)) for path in paths] or [PurePosixPath("/")]
        self._observer = Observer(around)
        self._shown: dict[int, tuple[_Image, int]] = {}
        self._token = 0
        self._stopping = threading.Event()

    def run(self) -> None:
        self.look(first=True)
        self._around.emit([Swept()])
        while not self._stopping.wait(self._interval_s):
            self.look()

    def unwatch(self, token: int) -> None:
        """Nothing to do: the core knows which ends it wants, and a look costs the same."""

    def stop(self) -> None:
        self._stopping.set()

    def look(self, *, first: bool = False) -> None:
        """One look at all processes."""
        alive: dict[int, tuple[_Image, int]] = {}
        hidden = 0
        for pid in psutil.pids():
            try:
                status = os.stat(f"/proc/{pid}/exe")
            except PermissionError:
                hidden += 1
                continue
            except OSError:
                continue  # a kernel thread, or gone
            before = self._shown.get(pid)
            here = process(pid)
            if here is None:
                continue
            image = _Image(here.birth, status.st_dev, status.st_ino)
            if before and before[0] == image:
                alive[pid] = before
            else:
                alive[pid] = (
                    image,
                    self._tell(pid, in_place=bool(before and before[0].birth == here.birth), first=first),
                )
        now = self._around.now_us()
        told: list[Event] = []
        for pid, (image, token) in self._shown.items():
            if token and alive.get(pid, (None, 0))[0] != image:
                told.append(Ended(token, now, uncertain=True))
        if told:
            self._around.emit(told)
        self._shown = alive
        self._around.counts["unreadable_processes"] = hidden
        if self._observer.owes:
            for _ in self._observer.owed():
                pass

    def _tell(self, pid: int, *, in_place: bool, first: bool) -> int:
        """Report this start; its token, or 0 where there is nothing to report."""
        try:
            file = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            if not self._inside(image_path(os.readlink(f"/proc/self/fd/{file}"))):
                return 0
            content = self._observer.content(file)
            if self._observer.known(content):
                return 0
            here = process(pid)
            born = here.started_us if here and not in_place else self._around.now_us()
            self._token += 1
            self._around.emit([self._observer.started(self._token, file, pid, content, born, alive_at_start=first)])
            return self._token
        finally:
            os.close(file)

    def _inside(self, path: str) -> bool:
        here = PurePosixPath(path)
        return any(here.is_relative_to(folder) for folder in self._folders)
