"""The lab's view of the policy service: what it cannot do is told with the reason."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lab.fabric import Addresses
from lab.policy import SERVICE, Policy, PolicyError
from lab.processes import Processes
from lab.python import environment


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    processes = Processes(tmp_path, environment())
    lines = "\n".join(f"line {n}" for n in range(40))
    processes.start(SERVICE, "sh", "-c", f"echo '{lines}\nthe disk is full'").wait(5)
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").touch()
    return Policy(processes, tmp_path / "pratique.toml", Addresses("127.0.0.1", 1, 2, 3, 4), tmp_path)


def answering(policy: Policy, answer: Callable[[httpx.Request], httpx.Response]) -> Policy:
    policy._client = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://policy")
    return policy


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_a_500_shows_the_end_of_the_services_log(policy: Policy) -> None:
    with pytest.raises(PolicyError) as failure:
        answering(policy, lambda request: httpx.Response(500, text="a defect")).ask("GET", "/v1/hosts")
    assert "GET /v1/hosts: 500 a defect" in str(failure.value)
    assert str(failure.value).splitlines()[-1] == "the disk is full"
    assert len(str(failure.value).splitlines()) == 2 + 15


def test_so_does_a_service_that_cannot_be_reached(policy: Policy) -> None:
    with pytest.raises(PolicyError, match=r"(?s)ConnectError.*the disk is full"):
        answering(policy, refuse).ask("GET", "/v1/hosts")


def test_a_refusal_says_itself_what_was_wrong(policy: Policy) -> None:
    with pytest.raises(PolicyError) as failure:
        answering(policy, lambda request: httpx.Response(404, text="no such host")).ask("GET", "/v1/hosts/x")
    assert str(failure.value) == "GET /v1/hosts/x: 404 no such host"


def test_why_it_is_not_ready_is_remembered(policy: Policy) -> None:
    assert not answering(policy, lambda request: httpx.Response(503, text="radius is away")).ready()
    assert policy.unready == "503 radius is away"
    assert not answering(policy, refuse).ready()
    assert "ConnectError" in policy.unready
    assert answering(policy, lambda request: httpx.Response(200)).ready()
    policy.ca_file.unlink()
    assert not policy.ready()
    assert "certificate" in policy.unready
