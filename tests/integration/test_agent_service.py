"""The whole agent as a process of its own, against a policy service over real TLS: what it promises when things go wrong."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from health_agent import status
from health_agent.contract import Action, OrderNotice, VerdictWord
from health_agent.status import Status
from tests.unit.health_agent.fake_service import FakeService, Refusal

REPOSITORY = Path(__file__).resolve().parents[2]
DAY_US = 86_400_000_000


class Machine:
    """An endpoint: its state, its folder of programs, and an agent that is started and ended like a service."""

    def __init__(self, tmp_path: Path, service: FakeService) -> None:
        self.service = service
        self.state = tmp_path / "state"
        self.programs = tmp_path / "programs"
        self.programs.mkdir()
        self.log = tmp_path / "log"
        self._agent: subprocess.Popen[bytes] | None = None
        self._made = 0
        done = self.command("enrol", service.token(), "--name", "pc-17", "--mac", "02:00:00:00:00:10")
        assert done.returncode == 0, done.stderr

    def command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "health_agent.cli", *argv, "--state", str(self.state)]
        return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)

    def start(self, *more: str) -> psutil.Process:
        line = [sys.executable, "-W", "error", "-m", "health_agent.cli", "run", "--state", str(self.state)]
        line += ["--watch", str(self.programs), "--sensor", "polling", "--poll-interval", "0.03", *more]
        heard = len(self.service.heartbeats)
        with self.log.open("ab") as log:
            self._agent = subprocess.Popen(line, cwd=REPOSITORY, stderr=log)
        self.service.wait(lambda: len(self.service.heartbeats) > heard or self._agent.poll() is not None)  # type: ignore[union-attr]
        assert self._agent.poll() is None, self.log.read_text()
        return psutil.Process(self._agent.pid)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self._agent is not None
        self._agent.send_signal(number)
        code = self._agent.wait(10)
        self._agent = None
        return code

    def close(self) -> None:
        if self._agent is not None:
            self._agent.kill()
            self._agent.wait()

    def program(self) -> tuple[Path, str]:
        """A program never seen before, that sleeps as long as it is told, and its hash."""
        self._made += 1
        path = self.programs / f"program-{self._made}"
        shutil.copy("/bin/sleep", path)
        with path.open("ab") as file:
            file.write(os.urandom(16))
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def run(self, seconds: float = 0.2) -> str:
        """Run a new program for a while; its hash."""
        path, sha256 = self.program()
        subprocess.run([path, str(seconds)], check=True)
        return sha256

    def until_status(self, condition: Callable[[Status], object]) -> Status:
        deadline = time.monotonic() + 15
        while True:
            with suppress(FileNotFoundError):
                now = status.read(self.state / "status.json")
                if condition(now):
                    return now
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeService]:
    fake = FakeService(tmp_path / "service")
    yield fake
    fake.close()


@pytest.fixture
def machine(tmp_path: Path, service: FakeService) -> Iterator[Machine]:
    made = Machine(tmp_path, service)
    yield made
    made.close()


def hashes(service: FakeService) -> list[str | None]:
    return [execution.sha256 for execution in service.executions.values()]


def test_a_program_is_reported_with_its_start_and_its_end_and_the_agent_ends_cleanly(
    machine: Machine, service: FakeService
) -> None:
    machine.start()
    sha256 = machine.run()
    service.wait(lambda: service.ends)
    (execution,) = service.executions.values()
    (end,) = service.ends.values()
    assert (execution.sha256, execution.sighting, end.execution) == (sha256, True, execution.id)
    assert end.ended_us > execution.started_us
    assert service.problems == []
    assert machine.end() == 0
    assert machine.command("status").returncode == 1
    assert not status.read(machine.state / "status.json").running
    log = machine.log.read_text()
    assert "Traceback" not in log
    assert "there is no baseline" in log


def test_what_was_learned_or_allowed_is_not_reported(machine: Machine, service: FakeService) -> None:
    learned, _ = machine.program()
    assert machine.command("learn", "--watch", str(machine.programs)).returncode == 0
    service.verdict = lambda sha256: VerdictWord.ALLOWED
    machine.start()
    assert machine.until_status(lambda now: now.connected).baseline == 1
    subprocess.run([learned, "0.2"], check=True)
    path, allowed = machine.program()
    subprocess.run([path, "0.2"], check=True)
    service.wait(lambda: service.executions)
    time.sleep(0.2)
    subprocess.run([path, "0.2"], check=True)
    time.sleep(0.3)
    assert hashes(service) == [allowed]


def test_a_baseline_that_is_learned_while_the_agent_runs_counts_at_once(machine: Machine, service: FakeService) -> None:
    machine.start()
    path, _ = machine.program()
    assert machine.command("learn", "--watch", str(machine.programs)).returncode == 0
    machine.until_status(lambda now: now.baseline == 1)
    subprocess.run([path, "0.2"], check=True)
    time.sleep(0.3)
    assert not service.executions


def test_while_the_service_is_away_everything_is_kept_and_told_when_it_is_back(
    machine: Machine, service: FakeService
) -> None:
    machine.start()
    port = service.port
    service.close()
    ran = [machine.run(0.1) for _ in range(3)]
    assert machine.until_status(lambda now: now.spooled == 6).connected is False
    service.open(port)
    service.wait(lambda: len(service.ends) == 3, seconds=20)
    assert hashes(service) == ran
    assert machine.until_status(lambda now: now.spooled == 0).connected is True


def test_kill_9_with_unacknowledged_reports_loses_nothing_and_records_nothing_twice(
    machine: Machine, service: FakeService
) -> None:
    machine.start()
    service.refuse = lambda path, message: Refusal(503, "store-unavailable")
    ran = [machine.run(0.1) for _ in range(3)]
    machine.until_status(lambda now: now.spooled == 6)
    machine.end(signal.SIGKILL)
    service.refuse = lambda path, message: None
    machine.start()
    service.wait(lambda: len(service.ends) == 3)
    assert hashes(service) == ran
    assert [execution.sighting for execution in service.executions.values()] == [True] * 3
    machine.end(signal.SIGKILL)
    machine.start()
    time.sleep(0.2)
    assert len(service.executions) == 3


def test_an_answer_that_was_lost_on_the_way_makes_a_retry_that_changes_nothing(
    machine: Machine, service: FakeService
) -> None:
    machine.start()
    real, lost = service.answer, []

    def record_but_do_not_answer(path: str, headers: object, body: bytes) -> bytes:
        reply = real(path, headers, body)
        if path == "/v1/sightings" and not lost:
            lost.append(reply)
            raise Refusal(502, "gateway")
        return reply

    service.answer = record_but_do_not_answer  # type: ignore[method-assign]
    machine.run(0.2)
    service.wait(lambda: service.ends)
    assert len(lost) == 1
    assert service.repeated == 1
    assert len(service.executions) == 1


@pytest.mark.parametrize("skew", [DAY_US, -DAY_US])
def test_a_clock_that_is_a_day_off_silences_nobody(machine: Machine, service: FakeService, skew: int) -> None:
    real = service.clock
    machine.start()
    service.clock = lambda: real() + skew
    machine.run(0.2)
    service.wait(lambda: service.ends)
    assert "clock-skew" in service.problems
    assert len(service.executions) == 1
    assert machine.until_status(lambda now: abs(now.offset_us - skew) < 5_000_000).connected


def test_a_program_that_outlives_the_agent_is_one_execution_with_one_end(
    machine: Machine, service: FakeService
) -> None:
    path, sha256 = machine.program()
    machine.start()
    child = subprocess.Popen([path, "60"])
    try:
        service.wait(lambda: service.executions)
        machine.end(signal.SIGKILL)
        machine.start()
        time.sleep(0.3)
        assert hashes(service) == [sha256]
        assert not service.ends
    finally:
        child.kill()
        child.wait()
    service.wait(lambda: service.ends)


def test_a_program_that_ended_while_no_agent_was_there_is_told_as_uncertain(
    machine: Machine, service: FakeService
) -> None:
    path, _ = machine.program()
    machine.start()
    child = subprocess.Popen([path, "60"])
    service.wait(lambda: service.executions)
    machine.end(signal.SIGKILL)
    child.kill()
    child.wait()
    machine.start()
    service.wait(lambda: service.ends)
    (end,) = service.ends.values()
    assert end.uncertain


@pytest.mark.peer("root")
def test_a_full_disk_under_the_spool_is_told_and_new_starts_are_sent_all_the_same(
    machine: Machine, service: FakeService
) -> None:
    spool = machine.state / "spool"
    spool.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "pratique-test", spool], check=True)
    try:
        (spool / "ballast").write_bytes(b"x" * 48 * 1024)
        machine.start()
        before = machine.run(0.1)
        service.wait(lambda: service.ends)
        with (spool / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(b"x" * 4096):
                continue
        during = [machine.run(0.1) for _ in range(12)]
        service.wait(lambda: len(service.ends) == 13, seconds=20)
        assert hashes(service) == [before, *during]
        lost = machine.until_status(lambda now: now.lost.get("spool_full")).lost
        assert "dropped" not in lost
        assert "no space left on the disk" in machine.log.read_text()
        (spool / "ballast").unlink()
        after = machine.run(0.1)
        service.wait(lambda: hashes(service)[-1] == after)
    finally:
        machine.close()
        subprocess.run(["umount", "-l", spool], check=True)


def test_an_endpoint_that_the_service_does_not_know_says_so_and_waits(machine: Machine, service: FakeService) -> None:
    machine.start()
    service.keys.clear()
    machine.run(0.1)
    machine.until_status(lambda now: "unknown-host" in now.problem)
    assert service.problems.count("unknown-host") <= 2
    assert machine.end() == 0
    assert "refuses us (HTTP 401)" in machine.log.read_text()


def test_an_order_to_renew_dhcp_runs_the_command_and_is_acknowledged(machine: Machine, service: FakeService) -> None:
    trace = machine.state / "renewed"
    service.orders = [OrderNotice("order-0001", Action.RENEW_DHCP), OrderNotice("order-0002", Action.CUT)]
    machine.start("--dhcp-renew", f"/usr/bin/touch {trace}")
    service.wait(lambda: not service.orders)
    acknowledged = {order for beat in service.heartbeats for order in beat.ack_orders}
    refused = {order: why for beat in service.heartbeats for order, why in beat.refused_orders.items()}
    assert acknowledged == {"order-0001"}
    assert "it cannot do 'cut'" in refused["order-0002"]
    assert trace.exists()


def test_a_command_that_fails_is_a_refusal_with_the_reason(machine: Machine, service: FakeService) -> None:
    service.orders = [OrderNotice("order-0001", Action.RENEW_DHCP)]
    machine.start("--dhcp-renew", "/bin/false")
    service.wait(lambda: not service.orders)
    assert [beat.refused_orders for beat in service.heartbeats if beat.refused_orders] == [
        {"order-0001": "/bin/false ended with 1"}
    ]


def test_the_agent_is_small_and_idles_quietly(machine: Machine, service: FakeService) -> None:
    process = machine.start("--poll-interval", "1")
    machine.run(1.2)
    service.wait(lambda: service.ends)
    before = sum(process.cpu_times()[:2])
    time.sleep(4)
    busy = sum(process.cpu_times()[:2]) - before
    assert process.memory_info().rss < 70 << 20
    assert busy / 4 < 0.02, "one per cent is the promise; the clock here has a grain of 10 ms"
