"""A policy service for the agent's tests: the contract over real TLS 1.3, in memory, with a clock that may be wrong.

It is as strict as the real one: signatures, freshness, the host's own id; a known message id is answered again and
recorded nothing; an execution is recorded once whatever message brings it.
"""

import base64
import datetime
import http.server
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from health_agent import identity
from health_agent.contract import (
    FRESHNESS_US,
    HOST_HEADER,
    SIGNATURE_HEADER,
    Answer,
    End,
    Enrolled,
    Enrolment,
    EnrolmentToken,
    Execution,
    Heartbeat,
    Inventory,
    OrderNotice,
    Report,
    VerdictNotice,
    VerdictWord,
)

SECRET = "a-one-time-secret-of-the-test"
TYPES = {"/v1/sightings": Report, "/v1/heartbeat": Heartbeat, "/v1/inventory": Inventory}


class Refusal(Exception):
    def __init__(self, status: int, name: str, **members: Any) -> None:
        super().__init__(name)
        self.status = status
        self.body = msgspec.json.encode({"type": f"urn:pratique:problem:{name}", "detail": f"test: {name}", **members})


def authority(directory: Path, name: str = "test CA") -> tuple[Path, Path, str]:
    """A CA that is its own server certificate for 127.0.0.1: files of certificate and key, and the PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (directory / "cert.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return directory / "cert.pem", directory / "key.pem", pem.decode()


class FakeService:
    """Starts at once; `close` ends it. What it recorded may be read at any time."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        certificate, key, self.ca_pem = authority(directory)
        self.clock: Callable[[], int] = lambda: time.time_ns() // 1000
        self.verdict: Callable[[str], VerdictWord] = lambda sha256: VerdictWord.UNKNOWN
        self.refuse: Callable[[str, Any], Refusal | None] = lambda path, message: None
        self.orders: list[OrderNotice] = []
        self.keys: dict[str, bytes] = {}
        self.tokens = {SECRET: "unused"}
        self.messages: dict[str, Answer] = {}
        self.executions: dict[str, Execution] = {}
        self.ends: dict[str, End] = {}
        self.reports: list[tuple[int, Report]] = []
        self.heartbeats: list[Heartbeat] = []
        self.inventory: list[Inventory] = []
        self.problems: list[str] = []
        self.connections = 0
        self.repeated = 0
        self.changed = threading.Condition()
        self._open: set[Any] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._context.load_cert_chain(certificate, key)
        self.open(port)

    def open(self, port: int) -> None:
        """Listen; after `close` the same service is back, with all it knows."""
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._server.context = self._context
        self._server.service = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def token(self) -> str:
        return EnrolmentToken(self.url, identity.fingerprint(self.ca_pem), SECRET).text()

    def close(self) -> None:
        """Like a killed process: no answer, no new connections, the open ones end."""
        self._server.shutdown()
        self._server.server_close()
        self.drop_connections()
        self._thread.join(5)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(2)

    def wait(self, condition: Callable[[], Any], seconds: float = 10) -> Any:
        """Until `condition` holds of what was recorded; fails the test when it does not."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (result := condition()):
                left = deadline - time.monotonic()
                assert left > 0, (
                    f"not within {seconds} s; problems: {self.problems}, heartbeats: {len(self.heartbeats)}"
                )
                self.changed.wait(min(left, 0.05))
        return result

    # -- the contract ------------------------------------------------------------------------------------------------

    def answer(self, path: str, headers: Any, body: bytes) -> bytes:
        if path == "/v1/enrol":
            return msgspec.json.encode(self._enrol(msgspec.json.decode(body, type=Enrolment)))
        host = headers.get(HOST_HEADER, "")
        if host not in self.keys:
            raise Refusal(401, "unknown-host")
        try:
            signature = base64.b64decode(headers.get(SIGNATURE_HEADER, ""), validate=True)
            Ed25519PublicKey.from_public_bytes(self.keys[host]).verify(signature, body)
        except (InvalidSignature, ValueError) as error:
            raise Refusal(401, "bad-signature") from error
        try:
            message = msgspec.json.decode(body, type=TYPES[path])
        except msgspec.ValidationError as error:
            raise Refusal(400, "malformed") from error
        if message.host_id != host:
            raise Refusal(403, "other-endpoint")
        if refusal := self.refuse(path, message):
            raise refusal
        now = self.clock()
        if abs(message.clock_us + message.offset_us - now) > FRESHNESS_US:
            raise Refusal(409, "clock-skew", service_us=now)
        return msgspec.json.encode(self._record(message, now))

    def _enrol(self, asked: Enrolment) -> Enrolled:
        state = self.tokens.get(asked.token)
        if state is None:
            raise Refusal(403, "token-unknown")
        if state == "used":
            raise Refusal(409, "token-used")
        self.tokens[asked.token] = "used"
        host = f"host-{len(self.keys) + 1:04d}"
        self.keys[host] = base64.b64decode(asked.public_key)
        self.enrolment = asked
        return Enrolled(host_id=host, site="main", service_us=self.clock(), heartbeat_s=30)

    def _record(self, message: Report | Heartbeat | Inventory, now: int) -> Answer:
        if message.id in self.messages:
            self.repeated += 1
            return msgspec.structs.replace(self.messages[message.id], service_us=now, repeated=True)
        verdicts: tuple[VerdictNotice, ...] = ()
        if isinstance(message, Report):
            self.reports.append((time.monotonic_ns(), message))
            for execution in message.executions:
                self.executions.setdefault(execution.id, execution)
            for end in message.ends:
                self.ends.setdefault(end.execution, end)
            hashes_ = dict.fromkeys(execution.sha256 for execution in message.executions if execution.sha256)
            verdicts = tuple(VerdictNotice(sha256, self.verdict(sha256), "test") for sha256 in hashes_)
        elif isinstance(message, Heartbeat):
            self.heartbeats.append(message)
            settled = {*message.ack_orders, *message.refused_orders}
            self.orders = [order for order in self.orders if order.id not in settled]
        else:
            self.inventory.append(message)
        answer = Answer(id=message.id, service_us=now, verdicts=verdicts, orders=tuple(self.orders))
        self.messages[message.id] = answer
        return answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext
    service: FakeService

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with suppress(OSError):  # a client that does not trust us ends the handshake
            request = self.context.wrap_socket(request, server_side=True)
            self.service.connections += 1
            self.service._open.add(request)
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.service._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.service.problems.append("connection lost")


def _handler(service: FakeService) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            return

        def do_GET(self) -> None:
            self._reply(200, service.ca_pem.encode()) if self.path == "/v1/ca" else self._reply(404, b"{}")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                with service.changed:
                    reply, status = service.answer(self.path, self.headers, body), 200
                    service.changed.notify_all()
            except Refusal as refusal:
                service.problems.append(str(refusal))
                reply, status = refusal.body, refusal.status
            self._reply(status, reply)

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler
