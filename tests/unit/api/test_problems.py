"""Every error leaves as a problem."""

import re
from pathlib import Path

import pytest

from api.problems import NAMES, Problem, of_status
from tests.unit.api.world import World, problem


@pytest.mark.parametrize("name", NAMES)
def test_a_problem_has_a_type_a_title_a_status_and_a_sentence(name: str) -> None:
    body = Problem(name, "what to do", extra=5).body()
    status, title = NAMES[name]
    assert f'"type":"urn:pratique:problem:{name}"'.encode() in body
    assert f'"status":{status}'.encode() in body
    assert title.encode() in body
    assert b'"extra":5' in body


def test_every_name_that_is_used_is_in_the_list() -> None:
    root = Path(__file__).resolve().parents[3] / "api"
    used = {
        name for file in root.rglob("*.py") for name in re.findall(r"\bProblem\(\s*\"([a-z-]+)\"", file.read_text())
    }
    assert used
    assert used <= set(NAMES)


@pytest.mark.parametrize(
    ("status", "name"),
    [(404, "not-found"), (405, "method-not-allowed"), (401, "unauthenticated"), (418, "malformed"), (502, "internal")],
)
def test_a_bare_status_becomes_a_problem(status: int, name: str) -> None:
    made = of_status(status, "why")
    assert (made.name, made.status) == (name, status)


def test_unknown_paths_and_methods_are_problems(world: World) -> None:
    assert problem(world.ask("GET", "/v1/nothing")) == "not-found"
    assert problem(world.ask("GET", "/v1/sightings")) == "method-not-allowed"


def test_a_defect_of_ours_tells_the_peer_nothing_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(world.store, "read", broken)
    response = world.ask("GET", "/v1/hosts", headers={"Authorization": "Bearer ptk_x"})
    assert (problem(response), response.status_code) == ("internal", 500)
    assert "secret inside" not in response.text
