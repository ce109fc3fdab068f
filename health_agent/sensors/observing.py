"""From an open descriptor and a pid to a `Started`: what both sensors do about one program.

Guarantees: never raises for what a program or a user did (ended, deleted, unreadable): what could not be found out is
None, and an unreadable content is counted in `unreadable`. The hash of a parent is told when it is known or cheap; a
large one is hashed later (`owed`), once.
"""

import os
from collections import deque
from collections.abc import Iterator
from typing import Final

from health_agent.content import Content, Contents
from health_agent.contract import Kind, Program
from health_agent.dialogue import Started
from health_agent.processes import Users, image_path, parents, process
from health_agent.sensors import Surroundings

SMALL: Final = 256 << 10
"""Parents up to this size are hashed at once (about 0.3 ms), larger ones later."""
OWED: Final = 64


class Observer:
    """For one thread."""

    def __init__(self, around: Surroundings, contents: Contents | None = None) -> None:
        self.contents = contents or Contents()
        self._around = around
        self._users = Users()
        self._owed: deque[int] = deque(maxlen=OWED)

    def content(self, file: int) -> Content | None:
        """The content of an open file, or None, counted, where it cannot be read."""
        try:
            return self.contents.read(file)
        except OSError:
            self._around.counts["unreadable"] += 1
            return None

    def known(self, content: Content | None) -> bool:
        return content is not None and self._around.known(content.sha256)

    def started(
        self, token: int, file: int, pid: int, content: Content | None, started_us: int, *, alive_at_start: bool = False
    ) -> Started:
        """All there is to tell about this start."""
        path = image_path(os.readlink(f"/proc/self/fd/{file}"))
        here = process(pid)
        kind = content.kind if content else Kind.OTHER
        return Started(
            token=token,
            path=path,
            pid=pid,
            birth=here.birth if here else 0,
            started_us=here.started_us if here and alive_at_start else started_us,
            sha256=content.sha256 if content else None,
            size=content.size if content else None,
            kind=Kind.MEMFD if path.startswith("/memfd:") else kind,
            user=self._users.name(here.user) if here else None,
            parents=parents(here, self._users, self._image),
            interpreter=self._interpreter(content),
            alive_at_start=alive_at_start,
        )

    def owed(self) -> Iterator[None]:
        """Hash what is owed, in small steps."""
        while self._owed:
            try:
                file = os.open(f"/proc/{self._owed.popleft()}/exe", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue  # it ended: nobody will ask for it by this pid again
            try:
                yield from self.contents.reading(file)
            except OSError:
                self._around.counts["unreadable"] += 1
            finally:
                os.close(file)

    @property
    def owes(self) -> bool:
        return bool(self._owed)

    def _interpreter(self, content: Content | None) -> Program | None:
        if content is None or content.interpreter is None:
            return None
        try:
            remembered = self.contents.remembered(os.stat(content.interpreter))
        except (OSError, ValueError):
            remembered = None
        return Program(path=content.interpreter, sha256=remembered.sha256 if remembered else None)

    def _image(self, pid: int) -> str | None:
        """The hash of the program that a process runs, if it costs little."""
        image = f"/proc/{pid}/exe"
        try:
            status = os.stat(image)
            if remembered := self.contents.remembered(status):
                return remembered.sha256
            if status.st_size > SMALL:
                self._owed.append(pid)
                return None
            file = os.open(image, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return self.contents.read(file).sha256
        except OSError:
            return None
        finally:
            os.close(file)
