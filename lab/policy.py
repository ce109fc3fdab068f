"""The lab's view of the policy service: its command line and its REST API, as an admin and a monitoring system have them.

Nothing here looks into the database. Raises `PolicyError` with the service's own words when it refuses, or cannot be
reached where it should be. Times are the service's, microseconds of the same clock as the lab's.
"""

import json
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from lab.fabric import Addresses
from lab.processes import Processes
from lab.python import pratique

SWITCH: Final = "lab-switch"
SERVICE: Final = "serve"
"""The name of the service's process in the lab."""


class PolicyError(Exception):
    """The policy service did not do what was asked; the message carries its words, and the end of its log where those
    do not tell the reason."""


class Policy:
    """`data` is the service's data folder, for its CA alone."""

    def __init__(self, processes: Processes, config: Path, addresses: Addresses, data: Path) -> None:
        self._processes, self._config = processes, config
        self._url = f"https://{addresses.host}:{addresses.api}"
        self.ca_file = data / "tls" / "ca.pem"
        self._client: httpx.Client | None = None
        self._token = ""
        self.unready = "it was not asked"

    # ---- the command line

    def words(self, *words: str) -> list[str]:
        """The full command line of `pratique WORD …` for this service."""
        return pratique(*words, "--config", str(self._config))

    def cli(self, *words: str) -> str:
        return self._processes.run(*self.words(*words))

    def furnish(self, secret: Path, addresses: Addresses, admin: str) -> str:
        """Mode, switch and a person, by a token that the command line made; the person's one-time password."""
        self._token = str(json.loads(self.cli("api-token", "add", "lab", "--role", "admin", "--json"))["token"])
        self.ask("PUT", "/v1/mode", {"mode": "enforce"})
        switch = {"address": "127.0.0.1", "secret": secret.read_text(), "profile": "lab", "coa_port": addresses.coa}
        self.ask("PUT", f"/v1/nas/{SWITCH}", switch)
        return str(self.ask("POST", "/v1/users", {"name": admin, "role": "admin"})["one_time_password"])

    def enrol(self, endpoints: dict[str, tuple[str, Path]]) -> None:
        """A one-time token and an identity for each endpoint: name → (MAC, state folder)."""
        self._processes.run_all(
            [
                pratique(
                    "agent", "enrol", self.ask("POST", "/v1/enrol-tokens", {})["token"],
                    "--name", name, "--mac", mac, "--state", str(state),
                )
                for name, (mac, state) in endpoints.items()
            ]
        )  # fmt: skip

    def allow(self, sha256: str, why: str) -> None:
        self.cli("allow", "add", sha256, "--why", why)

    # ---- the REST API

    def allow_by_api(self, sha256: str) -> None:
        """The same as `allow`, without the start of a command."""
        self.ask("POST", "/v1/lists/allow", {"kind": "hash", "value": sha256, "why": "seen by the lab"})

    def ready(self) -> bool:
        """Whether the service says so. False while it cannot be reached; `unready` tells what it said instead."""
        if not self.ca_file.exists():
            self.unready = "it has made no certificate"
            return False
        try:
            answer = self._http().get("/readyz")
        except httpx.TransportError as error:
            self.unready = repr(error)
            return False
        self.unready = f"{answer.status_code} {answer.text[:300]}"
        return answer.status_code == httpx.codes.OK

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """JSON from the API. Raises PolicyError for every answer that is no success."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            answer = self._http().request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise PolicyError(f"{method} {path}: {error!r}{self._processes.last_words(SERVICE)}") from error
        if not answer.is_success:
            why = self._processes.last_words(SERVICE) if answer.is_server_error else ""
            raise PolicyError(f"{method} {path}: {answer.status_code} {answer.text[:300]}{why}")
        return answer.json()

    def host(self, mac: str) -> dict[str, Any]:
        """Everything decided about the endpoint of a MAC: posture, access, reasons, orders, sensor."""
        host: dict[str, Any] = self.ask("GET", f"/v1/hosts/{quote(mac)}")
        return host

    def heard(self, mac: str) -> bool:
        """Whether evidence of the endpoint's agent was accepted."""
        return self.host(mac)["last_evidence"] is not None

    def received_us(self, mac: str, sha256: str) -> int | None:
        """When the report of this executable changed the host's posture, or None as long as it has not."""
        host = self.host(mac)
        return int(host["since"]) if any(reason["key"] == sha256 for reason in host["reasons"]) else None

    def order(self, mac: str, access: str, since_us: int) -> dict[str, Any] | None:
        """The newest order to this access that changed at or after `since_us`."""
        orders = self.host(mac)["orders"]
        return next((o for o in orders if o["access"] == access and o["changed"] >= since_us), None)

    def confirmed_us(self, mac: str, access: str, since_us: int) -> int | None:
        """When the newest order to this access was confirmed, or None as long as it is not."""
        order = self.order(mac, access, since_us)
        return int(order["changed"]) if order is not None and order["state"] == "confirmed" else None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _http(self) -> httpx.Client:
        if self._client is None:
            context = ssl.create_default_context(cafile=str(self.ca_file))
            self._client = httpx.Client(base_url=self._url, verify=context, timeout=5)
        return self._client
