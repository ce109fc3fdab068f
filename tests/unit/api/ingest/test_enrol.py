"""A token becomes an endpoint, once."""

import asyncio

import msgspec
import pytest

from health_agent import contract
from radius_policy.model import SECOND, Host, HostState, Mac, MacAccess, MacBinding, Token
from tests.unit.api.world import MAC, Agent, World, problem


def hosts(world: World) -> list[Host]:
    return world.read(lambda tx: tx.find(Host, tenant=1))


def test_a_token_makes_an_endpoint_of_its_site_whose_mac_radius_knows(world: World) -> None:
    agent = world.agent(site="branch", groups=("pilot",), role="dev")
    [host] = hosts(world)
    assert (host.host_id, host.name, host.site, host.groups, host.role) == (
        agent.host_id,
        "desk-1",
        "branch",
        ("pilot",),
        "dev",
    )
    assert host.public_key == agent.key.public_key().public_bytes_raw()
    assert world.read(lambda tx: tx.get(MacBinding, 1, Mac(MAC), host.host_id))
    answer = world.read(lambda tx: tx.get(MacAccess, 1, Mac(MAC)))
    assert answer is not None
    assert answer.access == "production"
    assert [event.kind for event in world.events("host_enrolled")] == ["host_enrolled"]


def test_only_the_hash_of_a_token_is_kept(world: World) -> None:
    secret = world.enrol_token()
    [kept] = world.read(lambda tx: tx.find(Token, tenant=1))
    assert secret not in repr(kept)


def test_a_token_is_used_up_by_one_endpoint(world: World) -> None:
    secret = world.enrol_token()
    assert Agent(world).enrol(secret).status_code == 200
    response = Agent(world, "desk-2").enrol(secret)
    assert problem(response) == "token-used"
    assert "pratique enrol-token" in response.json()["detail"]
    assert len(hosts(world)) == 1


def test_of_two_that_use_a_token_at_once_one_is_refused(world: World) -> None:
    secret = world.enrol_token()
    bodies = [Agent(world, f"desk-{n}").enrolment(secret) for n in (1, 2)]

    async def both() -> list[int]:
        import httpx

        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
            answers = await asyncio.gather(*(client.post("/v1/enrol", content=body) for body in bodies))
        return sorted(answer.status_code for answer in answers)

    assert world.run(both()) == [200, 409]
    assert len(hosts(world)) == 1


def test_a_token_expires(world: World) -> None:
    secret = world.enrol_token(minutes=10)
    world.now += 601 * SECOND
    assert problem(Agent(world).enrol(secret)) == "token-expired"


def test_a_wrong_token_is_refused_and_guessing_is_slowed(world: World) -> None:
    names = [problem(Agent(world).enrol("wrong-token-" + str(n) * 20)) for n in range(25)]
    assert names[0] == "token-unknown"
    assert names[-1] == "too-many"
    assert hosts(world) == []


def test_a_key_belongs_to_one_endpoint(world: World) -> None:
    agent = world.agent()
    response = agent.enrol(world.enrol_token())
    assert problem(response) == "key-in-use"
    assert len(hosts(world)) == 1


def test_a_refused_enrolment_does_not_use_the_token_up(world: World) -> None:
    agent, secret = world.agent(), world.enrol_token()
    assert problem(agent.enrol(secret)) == "key-in-use"
    assert Agent(world, "desk-2").enrol(secret).status_code == 200


def test_a_second_enrolment_of_the_same_name_is_another_endpoint(world: World) -> None:
    first, second = world.agent("desk-1"), world.agent("desk-1")
    assert first.host_id != second.host_id
    assert [host.name for host in hosts(world)] == ["desk-1", "desk-1"]


def test_a_second_enrolment_does_not_wash_the_macs_first_endpoint_clean(world: World) -> None:
    from tests.unit.api.world import execution

    first = world.agent()
    world.enforce()
    first.tell(execution(world))
    world.agent("desk-1-again")
    answer = world.read(lambda tx: tx.get(MacAccess, 1, Mac(MAC)))
    assert answer is not None
    assert answer.access == "remediation"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"macs": ("02-00-00-00-00-10",)}, "macs"),
        ({"macs": ("02:00:00:00:00:GG",)}, "macs"),
        ({"macs": ()}, "macs"),
        ({"name": ""}, "name"),
        ({"public_key": "A" * 44}, "public_key"),
        ({"public_key": "AAAA"}, "public_key"),
    ],
)
def test_a_malformed_enrolment_names_its_field_and_uses_no_token(
    world: World, changes: dict[str, object], field: str
) -> None:
    secret = world.enrol_token()
    response = world.ask("POST", "/v1/enrol", content=Agent(world).enrolment(secret, **changes))
    assert problem(response) == "malformed"
    assert field in response.json()["detail"] or "Ed25519" in response.json()["detail"]
    assert Agent(world).enrol(secret).status_code == 200


def test_the_ca_is_public_and_is_the_one_of_the_fingerprint(world: World) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    answer = world.ask("GET", "/v1/ca")
    certificate = x509.load_pem_x509_certificate(answer.content)
    assert certificate.fingerprint(hashes.SHA256()).hex() == world.service.fingerprint


def test_an_enrolled_endpoint_is_monitored_from_the_start(world: World) -> None:
    agent = world.agent()
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state is not None
    assert (state.posture, state.access) == ("healthy", "production")
    assert state.generation > 0


def test_the_answer_carries_the_services_clock(world: World) -> None:
    agent = Agent(world)
    answer = msgspec.json.decode(agent.enrol(world.enrol_token()).content, type=contract.Enrolled)
    assert answer.service_us == world.now
