"""Agents are answered before the part for people is loaded, and nobody is turned away meanwhile."""

import asyncio
import subprocess
import sys

import httpx
from fastapi import FastAPI

from api import front
from tests.unit.api.world import World, problem


def test_agents_and_people_are_answered_by_one_app_with_the_same_parts(world: World) -> None:
    assert world.ask("GET", "/healthz").json() == {"status": "ok"}
    assert world.rest("GET", "/v1/hosts").status_code == 200
    assert problem(world.ask("GET", "/v1/nothing")) == "not-found"
    assert problem(world.ask("GET", "/v1/enrol")) == "method-not-allowed"


def test_who_asks_for_a_page_while_it_is_loaded_waits_and_the_agent_does_not(world: World) -> None:
    loads: list[str] = []
    go = asyncio.Event()

    async def story() -> None:
        loop = asyncio.get_running_loop()

        def load() -> FastAPI:
            loads.append("begun")
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            return front.people()

        app = front.Front(front.agents(), load)
        front.equip(app, world.service)
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
            pages = [asyncio.create_task(client.get("/console/login")) for _ in range(3)]
            assert (await client.get("/healthz")).status_code == 200
            assert not any(page.done() for page in pages)
            go.set()
            assert [(await page).status_code for page in pages] == [200] * 3
        assert loads == ["begun"], "it is loaded once"

    world.run(asyncio.wait_for(story(), 60))


def test_what_agents_need_comes_without_the_frameworks_of_people() -> None:
    code = (
        "import sys; from api import front; front.agents(); import api.ingest.intake, api.health.service, api.console.hub;"
        "print([name for name in ('fastapi', 'pydantic', 'jinja2', 'typer', 'sqlalchemy', 'pyrad', 'asyncpg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
