"""`pratique trip`: breaker trips that wait for an answer, and the answers: allow, deny, quarantine, keep."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.auth.roles import Identity
from api.cli.common import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    WhyOption,
    moment,
    print_json,
    print_table,
    with_desk,
)
from api.cli.common import app as made_app
from api.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from api.admin.deeds import Desk
    from api.admin.trips import Done, Preview, View
    from radius_policy.store.interface import Reading

app = made_app("Breaker trips: list and show them, and answer: allow, deny, quarantine all, keep holding.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="TRIP", help="its id (6 digits are enough), its limit (site:main), or a hash that it contains"
    ),
]
PreviewOption = Annotated[bool, typer.Option("--preview", help="only say whom it would touch")]


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="those too that are answered or decided")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Breaker trips that nobody has answered."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import trips

        now = desk.clock()
        found = await desk.store.read(
            lambda tx: trips.trips(tx, who, desk.policies.current(tx, who.tenant, now), now, every=every)
        )
        if as_json:
            print_json([trips.shown(one) for one in found])
            return
        print_table(
            ("id", "since", "what", "limit", "hosts", "answer", "the site's choice"),
            ([t.id, moment(t.at, loaded), t.title, t.text, t.hosts, _answer(t), _choice(t, loaded)] for t in found),
            empty="no breaker trip waits for an answer",
        )

    with_desk(config, database, deed)


@app.command()
def show(name: Name, as_json: JsonOption = False, config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """What it contains, where that ran, and whether it looks like a worm or a roll-out."""

    async def deed(desk: "Desk", who: Identity, loaded: Config) -> None:
        from api.admin import trips

        now = desk.clock()

        def look(tx: "Reading") -> "View":
            policy = desk.policies.current(tx, who.tenant, now)
            return trips.view(tx, trips.find(tx, who, name, now), policy, whole=True, now=now)

        found = await desk.store.read(look)
        if as_json:
            print_json(trips.shown(found))
            return
        print(f"{found.title}, since {moment(found.at, loaded)}: {found.text}")
        for sentence in (found.reading, f"answer: {_answer(found)}", _choice(found, loaded)):
            if sentence:
                print(sentence)
        print_table(
            ("executable", "name", "ran on", "moved", "contained", "decided"),
            ([e.key, e.name, e.ran, e.moved, e.contained, e.decided or "no"] for e in found.executables),
        )

    with_desk(config, database, deed)


@app.command()
def allow(
    name: Name, why: WhyOption = "", preview: PreviewOption = False, as_json: JsonOption = False,
    config: ConfigOption = None, database: DatabaseOption = None,
) -> None:  # fmt: skip
    """Allow everything that it contains: hosts that were moved for it return."""
    _decide("allow", name, why, preview, as_json, config, database)


@app.command()
def deny(
    name: Name, why: WhyOption = "", preview: PreviewOption = False, as_json: JsonOption = False,
    config: ConfigOption = None, database: DatabaseOption = None,
) -> None:  # fmt: skip
    """Deny everything that it contains: hosts that ran it become compromised and are moved, up to the breaker."""
    _decide("deny", name, why, preview, as_json, config, database)


@app.command()
def quarantine(
    name: Name, why: WhyOption = "", preview: PreviewOption = False, as_json: JsonOption = False,
    config: ConfigOption = None, database: DatabaseOption = None,
) -> None:  # fmt: skip
    """Quarantine all hosts that ran it, past the breaker; protected ones stay, with the reason."""
    _decide("quarantine", name, why, preview, as_json, config, database)


@app.command()
def keep(
    name: Name, why: WhyOption = "", preview: PreviewOption = False, as_json: JsonOption = False,
    config: ConfigOption = None, database: DatabaseOption = None,
) -> None:  # fmt: skip
    """Keep holding: all stays as it is, nobody else is called, and the site's own choice does not follow."""
    _decide("keep", name, why, preview, as_json, config, database)


def _decide(
    answer: str, name: str, why: str, preview: bool, as_json: bool, config: "Path | None", database: str | None
) -> None:
    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import trips

        if preview:
            planned = await trips.previewed(desk, who, name, answer)
            print_json(trips.shown(planned)) if as_json else _planned(planned)
            return
        done = await trips.decide(desk, who, name, answer, why=why)
        print_json(trips.shown(done)) if as_json else _done(done)

    with_desk(config, database, deed)


def _planned(planned: "Preview") -> None:
    print(f"{planned.answer} {planned.trip.title}: {len(planned.sha256s)} executables, {len(planned.hosts)} hosts")
    print_table(
        ("host", "site", "what would become of it"),
        ([h.host, h.site, f"stays: {h.why_not}" if h.why_not else _WOULD[planned.answer]] for h in planned.hosts),
        empty="no host is touched",
    )


_WOULD = {
    "allow": "loses this reason, and returns where it has no other",
    "deny": "becomes compromised; moved, up to the breaker",
    "quarantine": "quarantined until released",
    "keep": "stays as it is",
}


def _done(done: "Done") -> None:
    if done.answer == "keep":
        print(f"{done.trip} is kept as it is; the site's own choice does not follow")
    elif done.answer == "quarantine":
        print(f"quarantined: {len(done.moved)}, not quarantined: {len(done.stayed)}")
        for host, why in done.stayed:
            print(f"stays: {host}: {why}")
    else:
        print(f"list entries: {done.entries}, hosts moved: {len(done.moved)}, released: {len(done.released)}")


def _answer(trip: "View") -> str:
    if trip.answer:
        return f"{trip.answer} by {trip.answered_by}"
    return "nobody yet" if trip.waits else "decided"


def _choice(trip: "View", config: Config) -> str:
    if trip.due is None:
        return ""
    choices = ", ".join(f"{choice} at {site}" for site, choice in trip.choices.items()) or "keep"
    return f"{choices}, from {moment(trip.due, config)} on"
