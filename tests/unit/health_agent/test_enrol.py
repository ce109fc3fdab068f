"""A one-time token becomes an identity, or a sentence."""

import dataclasses
from pathlib import Path

import pytest

from health_agent import identity
from health_agent.contract import EnrolmentToken
from health_agent.enrol import EnrolmentError, Machine, enrol
from tests.unit.health_agent.conftest import MAC
from tests.unit.health_agent.fake_service import SECRET, FakeService

PC = Machine("pc-17", (MAC,), True, "0.1")
NOW = 1_700_000_000_000_000


def attempt(state: Path, token: str, machine: Machine = PC) -> str:
    """The sentence with which this enrolment fails."""
    with pytest.raises(EnrolmentError) as raised:
        enrol(state, token, machine, NOW)
    assert not identity.enrolled(state)
    return str(raised.value)


def test_a_good_token_makes_an_endpoint(service: FakeService, state: Path) -> None:
    service.clock = lambda: NOW + 77
    endpoint = enrol(state, f"  {service.token()}\n", PC, NOW)
    assert (endpoint.host_id, endpoint.site, endpoint.url, endpoint.offset_us) == ("host-0001", "main", service.url, 77)
    assert endpoint.macs == (MAC,)
    assert identity.load(state).ca_pem == service.ca_pem
    assert (service.enrolment.name, service.enrolment.macs) == ("pc-17", (MAC,))
    assert service.enrolment.os.startswith("Linux")


def test_macs_of_the_interfaces_are_not_fixed(service: FakeService, state: Path) -> None:
    assert enrol(state, service.token(), dataclasses.replace(PC, own_macs=False), NOW).macs == ()


def test_a_token_enrols_once(service: FakeService, state: Path, tmp_path: Path) -> None:
    enrol(state, service.token(), PC, NOW)
    assert "used before" in attempt(tmp_path / "second", service.token())


def test_a_token_that_the_service_does_not_know(service: FakeService, state: Path) -> None:
    service.tokens.clear()
    assert "does not know this token" in attempt(state, service.token())


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda text: text[4:], lambda text: "hello", lambda text: ""]
)
def test_a_damaged_token(service: FakeService, state: Path, damage: object) -> None:
    sentence = attempt(state, damage(service.token()))  # type: ignore[operator]
    assert "token" in sentence
    assert not state.exists(), "nothing was made"


def test_a_service_whose_ca_is_another_gets_no_secret(service: FakeService, state: Path) -> None:
    token = EnrolmentToken(service.url, "0" * 64, SECRET).text()
    assert "is not the one this token was made for" in attempt(state, token)
    assert service.tokens[SECRET] == "unused"


def test_among_several_certificates_the_right_one_is_found(service: FakeService, state: Path, tmp_path: Path) -> None:
    from tests.unit.health_agent.fake_service import authority

    token, right = service.token(), service.ca_pem
    service.ca_pem = authority(tmp_path / "other")[2] + "noise -----END CERTIFICATE-----\n" + right
    enrol(state, token, PC, NOW)
    assert identity.load(state).ca_pem == right


def test_nobody_there(service: FakeService, state: Path) -> None:
    token = service.token()
    service.close()
    assert "cannot be reached" in attempt(state, token)


def test_somebody_else_there(service: FakeService, state: Path) -> None:
    token = EnrolmentToken(service.url + "/elsewhere", identity.fingerprint(service.ca_pem), SECRET).text()
    assert "is no policy service: it answered HTTP 404" in attempt(state, token)


def test_no_address_at_all(state: Path) -> None:
    assert "cannot be reached" in attempt(state, EnrolmentToken("nonsense", "0" * 64, SECRET).text())


def test_a_machine_without_a_mac(service: FakeService, state: Path) -> None:
    assert "--mac" in attempt(state, service.token(), dataclasses.replace(PC, macs=()))


def test_a_failed_second_enrolment_leaves_the_first_in_use(
    service: FakeService, endpoint: identity.Identity, state: Path
) -> None:
    with pytest.raises(EnrolmentError):
        enrol(state, service.token(), PC, NOW)
    assert identity.load(state).endpoint == endpoint.endpoint
    assert identity.public_key(identity.load(state).key) == identity.public_key(endpoint.key)
