"""Both networks with a dozen endpoints: the small site's three, and nine more on the same switch; and a share.

Guarantees: the first three are those of the small site, so that whatever knows them works here too. `namespace` says
where an endpoint's processes live, for those who enter it without a command line. The file server of both has a share
(`lab.endpoints.share`) that an endpoint reaches only through its port; `share` is the options of its clients.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from lab.endpoints.tap import Tap
from lab.fabric import ENDPOINTS, Endpoint, Fabric, FabricError, find_program
from lab.fabric.netns import FILE_SERVER, Netns
from lab.fabric.table import Table
from lab.processes import Died, Processes
from lab.python import module

MORE: Final = tuple(Endpoint(number, f"02:00:00:00:00:{0x10 + number:02x}") for number in range(4, 13))
DOZEN: Final = (*ENDPOINTS, *MORE)
SHARE_PORT: Final = 4450


class WideNetns(Netns):
    """Twelve network namespaces."""

    def build(self) -> None:
        super().build()
        try:
            self._batch(
                f"netns add {e.name}\nlink add p_{e.number} type veth peer name eth0 address {e.mac} netns {e.name}"
                for e in MORE
            )
            for endpoint in MORE:
                self._batch(["link set lo up\nlink set eth0 up"], "-n", endpoint.name)
                folder = self.programs(endpoint)
                folder.mkdir(parents=True)
                self._processes.run("mount", "-t", "tmpfs", "programs", str(folder))
                self._taps[endpoint.name] = Tap(f"p_{endpoint.number}")
        except Died as error:
            raise FabricError(str(error)) from error
        self._processes.start(
            "share", "nsenter", "--net=/run/netns/fileserver", *module("lab.endpoints.share"), str(folder_of(self._state)),
            "--listen", f"{FILE_SERVER}:{SHARE_PORT}",
        )  # fmt: skip

    def share(self, endpoint: Endpoint) -> list[str]:
        return ["--share", f"{FILE_SERVER}:{SHARE_PORT}"]

    def switch_config(self) -> dict[str, Any]:
        ports = [{"number": e.number, "name": e.port, "mac": e.mac, "veth": f"p_{e.number}"} for e in DOZEN]
        return super().switch_config() | {"ports": ports}

    def _batch(self, lines: Iterable[str], *where: str) -> None:
        batch = self._state / "links"
        batch.write_text("".join(f"{line}\n" for line in lines))
        self._processes.run(find_program("ip") or "ip", *where, "-batch", str(batch))


class WideTable(Table):
    """Twelve rows of the port table."""

    def build(self) -> None:
        for endpoint in DOZEN:
            self.programs(endpoint).mkdir(parents=True)
        self._processes.start(
            "fileserver", *module("lab.endpoints.share"), str(folder_of(self._state)),
            "--listen", f"127.0.0.1:{self._files}", "--frames",
        )  # fmt: skip

    def share(self, endpoint: Endpoint) -> list[str]:
        return ["--share", f"127.0.0.1:{self._wire}", "--mac", endpoint.mac]

    def switch_config(self) -> dict[str, Any]:
        ports = [{"number": e.number, "name": e.port, "mac": e.mac} for e in DOZEN]
        return super().switch_config() | {"ports": ports}


Wide = WideNetns | WideTable


def widened(fabric: Fabric, processes: Processes, state: Path) -> Wide:
    """The wide fabric of the same kind as one that was not built yet."""
    kind: type[WideNetns] | type[WideTable] = WideNetns if fabric.name == "netns" else WideTable
    return kind(processes, state)


def folder_of(state: Path) -> Path:
    """Where the files of the share lie, on the file server."""
    return state / "share"


def namespace(fabric: Fabric, endpoint: Endpoint) -> str:
    """The file of the endpoint's network namespace; '' where it has none of its own."""
    marked = (word.removeprefix("--net=") for word in fabric.enter(endpoint) if word.startswith("--net="))
    return next(marked, "")
