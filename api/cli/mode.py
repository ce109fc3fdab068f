"""`pratique mode`: learn, monitor or enforce; for everything, a site or a group."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.auth.roles import Identity
from api.cli.common import ConfigOption, DatabaseOption, JsonOption, print_json, with_desk
from api.cli.common import app as made_app
from api.config import Config
from api.errors import Refused
from radius_policy.model import Mode

if TYPE_CHECKING:
    from api.admin.deeds import Desk
    from radius_policy.judgement import Preview

app = made_app("learn, monitor or enforce.")


@app.command()
def mode(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="[learn|monitor|enforce|none]",
            help="nothing shows what holds; none takes a site's or group's own mode away",
        ),
    ] = None,
    site: Annotated[str, typer.Option(help="for this site only")] = "",
    group: Annotated[str, typer.Option(help="for this group only")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="only say what it would do")] = False,
    confirm: Annotated[
        list[str] | None, typer.Option("--confirm", help="an inventory line (hash) that you vouch for; may be repeated")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show or change the mode."""
    if word is not None and word not in (*Mode, "none"):
        raise Refused(f'"{word}" is no mode: learn, monitor, enforce, or none')

    async def deed(desk: "Desk", who: Identity, _: Config) -> None:
        from api.admin import settings

        wanted = None if word in (None, "none") else Mode(word)
        chosen = tuple(confirm or ())
        if word is None:
            value = await desk.store.read(lambda tx: settings.setting(tx, who.tenant, "mode"))
            if as_json:
                print_json(value)
            else:
                _show(value)
            return
        if preview:
            did = await desk.preview(who, wanted, site=site, group=group, confirm=chosen)
            value = await desk.store.read(
                lambda tx: settings.wanted_mode(tx, who.tenant, wanted, site=site, group=group)
            )
        else:
            changed = await desk.mode(who, wanted, site=site, group=group, confirm=chosen)
            did, value = changed.did, changed.value
        if as_json:
            print_json(asdict(did) | {"mode": value, "preview": preview})
            return
        _show(value)
        _tell(did, preview=preview)

    with_desk(config, database, deed)


def _show(value: dict[str, Any]) -> None:
    print(f"everything: {value['default']}")
    for part, name in (("sites", "site"), ("groups", "group")):
        for key, own in sorted(value.get(part, {}).items()):
            print(f"{name} {key}: {own}")


def _tell(did: "Preview", *, preview: bool) -> None:
    will = "would be" if preview else "were"
    print(f"hosts that {will} moved: {len(did.moves)}, starts that {will} contained instead: {len(did.contained)}")
    print(
        f"inventory lines that {will} confirmed: {len(did.confirmed)}, that stay for you to confirm: {len(did.open_lines)}"
    )
    if did.stay:
        print(f"hosts that stay moved until they are decided: {len(did.stay)}")
