"""The door for evidence: who may speak, when, and what is recorded."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from health_agent import contract
from radius_policy.model import SECOND, Evidence, Execution, Host, HostExecutable, HostState, Posture
from tests.unit.api.world import World, answered, execution, problem


def executions(world: World) -> list[Execution]:
    return world.read(lambda tx: tx.find(Execution, tenant=1))


def test_an_unknown_program_is_recorded_judged_and_answered_in_one_message(world: World) -> None:
    agent = world.agent()
    world.enforce()
    answer = agent.tell(execution(world, path="/tmp/dropper"))
    assert [(one.sha256, one.verdict) for one in answer.verdicts] == [("a" * 64, contract.VerdictWord.UNKNOWN)]
    assert answer.verdicts[0].reason
    [seen] = executions(world)
    assert (seen.host_id, seen.path, seen.received) == (agent.host_id, "/tmp/dropper", world.now)
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state is not None
    assert (state.posture, state.access) == (Posture.POTENTIAL_PROBLEM, "remediation")


def test_a_replayed_sighting_is_recorded_once_and_answered_alike(world: World) -> None:
    agent = world.agent()
    report = agent.report(execution(world))
    first = answered(agent.send(report))
    world.now += SECOND
    second = answered(agent.send(report))
    assert (first.repeated, second.repeated) == (False, True)
    assert second.verdicts == first.verdicts
    assert len(executions(world)) == 1
    assert world.read(lambda tx: tx.find(HostExecutable, tenant=1))[0].starts == 1


def test_a_retry_whose_answer_was_lost_for_an_hour_is_answered_not_refused(world: World) -> None:
    agent = world.agent()
    report = agent.report(execution(world))
    first = answered(agent.send(report))
    world.now += 3600 * SECOND
    again = answered(agent.send(report))
    assert again.repeated
    assert again.verdicts == first.verdicts
    assert len(executions(world)) == 1


def test_a_sighting_signed_by_another_endpoints_key_is_refused_and_changes_nobodys_posture(world: World) -> None:
    good, bad = world.agent("desk-1"), world.agent("desk-2", "02:00:00:00:00:20")
    before = world.read(lambda tx: tx.find(HostState, tenant=1))
    forged = good.report(execution(world))
    assert problem(good.send(forged, key=bad.key)) == "bad-signature"
    assert executions(world) == []
    assert world.read(lambda tx: tx.find(HostState, tenant=1)) == before
    assert world.service.metrics.refused.labels("bad-signature")._value.get() == 1
    [event] = world.events("evidence_refused")
    assert "desk-1" in event.text
    assert event.facts["address"] == "192.0.2.1"


def test_an_endpoint_cannot_speak_for_another_even_with_its_own_good_signature(world: World) -> None:
    victim, attacker = world.agent("desk-1"), world.agent("desk-2", "02:00:00:00:00:20")
    report = attacker.report(execution(world), host_id=victim.host_id)
    assert problem(attacker.send(report)) == "other-endpoint"
    assert executions(world) == []


def test_a_host_that_never_enrolled_is_unknown(world: World) -> None:
    agent = world.agent()
    stranger = agent.report(execution(world))
    response = agent.send(stranger, **{contract.HOST_HEADER: "00000000-0000-0000-0000-000000000000"})
    assert problem(response) == "unknown-host"


def test_a_host_that_was_removed_is_unknown_at_once_although_its_key_was_cached(world: World) -> None:
    agent = world.agent()
    agent.tell(execution(world))
    world.write(lambda tx: tx.delete(Host, tenant=1, host_id=agent.host_id))
    assert problem(agent.send(agent.report(execution(world, "b" * 64)))) == "unknown-host"


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_stale_clock_is_refused_with_the_services_clock(world: World, seconds: int) -> None:
    agent = world.agent()
    agent.ahead = seconds * SECOND
    response = agent.send(agent.report(execution(world)))
    assert problem(response) == "clock-skew"
    assert response.json()["service_us"] == world.now
    assert executions(world) == []


@pytest.mark.parametrize("seconds", [-86_400, -600, 600, 86_400])
def test_an_endpoint_that_learned_its_offset_is_believed_and_its_starts_are_placed_by_our_clock(
    world: World, seconds: int
) -> None:
    agent = world.agent()
    agent.ahead = seconds * SECOND
    started = world.now - 5 * SECOND
    told = execution(world, started_us=started + agent.ahead)
    agent.tell(told, offset_us=-agent.ahead)
    [seen] = executions(world)
    assert abs(seen.started - started) <= seen.uncertainty_us


def test_a_start_is_never_placed_after_its_receipt(world: World) -> None:
    agent = world.agent()
    agent.tell(execution(world, started_us=world.now + 40 * SECOND))
    assert executions(world)[0].started == world.now


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"host_id": 5}',
        b"[" * 100_000,
        b'{"x":' * 50_000,
        b'{"host_id":"x"}',
    ],
    ids=["empty", "cut off", "no object", "no UTF-8", "wrong type", "nested lists", "nested objects", "fields missing"],
)
def test_a_body_that_does_not_fit_is_a_problem_and_never_a_failure(world: World, body: bytes) -> None:
    agent = world.agent()
    assert problem(agent.send(body)) == "malformed"


def test_what_does_not_fit_is_named(world: World) -> None:
    agent = world.agent()
    body = msgspec.json.encode(agent.report(execution(world))).replace(b'"' + b"a" * 64, b'"' + b"A" * 64)
    response = agent.send(body)
    assert problem(response) == "malformed"
    assert "executions[0].sha256" in response.json()["detail"]


def test_a_body_over_four_megabytes_is_refused_unread(world: World) -> None:
    agent = world.agent()
    assert problem(agent.send(b" " * (4 * 1024 * 1024 + 1))) == "too-large"


def test_another_version_of_the_wire_is_refused_by_name(world: World) -> None:
    agent = world.agent()
    response = agent.send(agent.report(execution(world), v=2))
    assert problem(response) == "malformed"
    assert "version 1" in response.json()["detail"]


def test_a_message_without_signature_is_refused(world: World) -> None:
    world.agent()
    assert problem(world.ask("POST", "/v1/sightings", content=b"{}")) == "bad-signature"


@pytest.mark.parametrize("signature", ["", "not base64!", "AAAA", "é"])
def test_a_signature_that_is_none_is_refused(world: World, signature: str) -> None:
    agent = world.agent()
    headers = {contract.HOST_HEADER: agent.host_id, contract.SIGNATURE_HEADER: signature.encode()}
    assert problem(world.ask("POST", "/v1/sightings", content=b"{}", headers=headers)) == "bad-signature"


def test_a_flood_of_refusals_makes_one_event_that_the_next_one_counts(world: World) -> None:
    agent, other = world.agent(), Ed25519PrivateKey.generate()
    for _ in range(20):
        agent.send(agent.report(), key=other)
    assert len(world.events("evidence_refused")) == 1
    world.now += 11 * 60 * SECOND
    agent.send(agent.report(), key=other)
    assert world.events("evidence_refused")[-1].facts["count"] == 20
    assert world.service.metrics.refused.labels("bad-signature")._value.get() == 21


def test_ends_close_their_executions_and_only_ones_own(world: World) -> None:
    mine, other = world.agent("desk-1"), world.agent("desk-2", "02:00:00:00:00:20")
    told = execution(world)
    mine.tell(told)
    world.now += 10 * SECOND
    other.tell(ends=(contract.End(told.id, world.now),))
    assert executions(world)[0].ended is None
    mine.tell(ends=(contract.End(told.id, world.now - SECOND, uncertain=True),))
    [seen] = executions(world)
    assert (seen.ended, seen.end_uncertain) == (world.now - SECOND, True)


def test_unreadable_content_is_judged_without_identity(world: World) -> None:
    agent = world.agent()
    world.enforce()
    answer = agent.tell(execution(world, None))
    assert answer.verdicts == ()
    state = world.read(lambda tx: tx.get(HostState, 1, agent.host_id))
    assert state is not None
    assert state.posture is Posture.POTENTIAL_PROBLEM


def test_a_store_that_fails_records_nothing_and_asks_to_send_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radius_policy.store.interface import StoreFull

    agent = world.agent()

    async def full(work: object) -> None:
        raise StoreFull("no space left on the disk of the database")

    report = agent.report(execution(world))
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "write", full)
        response = agent.send(report)
        assert (problem(response), response.status_code) == ("store-unavailable", 503)
        assert "disk of the database" not in response.text
        assert response.headers["retry-after"]
    assert answered(agent.send(report)).repeated is False
    assert len(world.read(lambda tx: tx.find(Evidence, tenant=1))) == 1
