"""The REST face of breaker trips: what it takes, and that a page of none is one."""

import pytest

from tests.unit.api.world import World, problem


def test_without_a_trip_the_list_is_empty(world: World) -> None:
    for state in ("waiting", "all"):
        assert world.rest("GET", f"/v1/trips?state={state}").json() == {"trips": []}


@pytest.mark.parametrize(
    ("path", "body"), [("panic", {}), ("keep", {"wyh": "misspelt"}), ("keep", {"why": "x" * 2001})]
)
def test_an_answer_that_is_none_or_a_field_that_is_unknown_is_refused(
    world: World, path: str, body: dict[str, str]
) -> None:
    assert problem(world.rest("POST", f"/v1/trips/abcdef/{path}", json=body)) == "malformed"


def test_a_trip_that_is_not_there_is_not_found(world: World) -> None:
    assert problem(world.rest("POST", "/v1/trips/abcdef/keep", json={})) == "not-found"
    assert problem(world.ask("GET", "/v1/trips")) == "unauthenticated"
