"""The admin REST API under `/v1`: lists, hosts, NAS, settings, tokens, people. Bodies are checked by pydantic.

Guarantees: the same functions as console and command line, so the same rights, refusals and audit; secrets go in and
never come out again. Times are microseconds (UTC).
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.admin import hosts, lists, nas, settings, tokens, tool_routes, trip_routes, users
from api.admin.settle import touched
from api.auth import passwords
from api.auth.dependencies import needs
from api.auth.roles import Identity, Role
from api.service import service_of
from radius_policy.model import ListKind, Mode, Nas

Viewer = Annotated[Identity, needs(Role.VIEWER)]
Operator = Annotated[Identity, needs(Role.OPERATOR)]
Admin = Annotated[Identity, needs(Role.ADMIN)]
Action = Literal["allow", "deny"]


class Body(BaseModel):
    """An unknown field is an error: a misspelt `expires` must not become "for ever"."""

    model_config = ConfigDict(extra="forbid")


class EntryBody(Body):
    value: str = Field(max_length=1000)
    kind: ListKind = ListKind.HASH
    scope: str = Field("fleet", max_length=300)
    why: str = Field("", max_length=2000)
    ticket: str = Field("", max_length=200)
    expires: int | None = Field(None, description="microseconds since the Unix epoch")


class WhyBody(Body):
    why: str = Field("", max_length=2000)


class ProtectBody(WhyBody):
    never_quarantine: bool


class NasBody(Body):
    address: str
    secret: str = Field(min_length=nas.MIN_SECRET, max_length=253)
    listener: str = "default"
    name: str = ""
    profile: str = "generic"
    coa_address: str = ""
    coa_port: int | None = None
    coa_secret: str | None = None
    require_message_authenticator: bool = True
    site: str = Field("", max_length=100, description="'' is the configured site")


class ModeBody(Body):
    mode: Mode | None
    site: str = ""
    group: str = ""
    confirm: tuple[str, ...] = ()
    preview: bool = False


class PauseBody(WhyBody):
    paused: bool


class EnrolTokenBody(Body):
    site: str | None = None
    minutes: int = 60
    groups: tuple[str, ...] = ()
    role: str = ""


class ApiTokenBody(Body):
    name: str
    role: Role
    days: int | None = None


class UserBody(Body):
    name: str
    role: Role
    sites: tuple[str, ...] = ()


def router() -> APIRouter:
    """The part of the REST API that changes things."""
    made = APIRouter(prefix="/v1")
    _lists(made)
    _hosts(made)
    _nas(made)
    tool_routes.add_to(made)
    trip_routes.add_to(made)
    _settings(made)
    _people(made)
    return made


def _lists(api: APIRouter) -> None:
    @api.get("/lists/{action}", tags=["lists"])
    async def entries(
        request: Request,
        action: Action,
        who: Viewer,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query()] = None,
        inventory: bool = False,
    ) -> dict[str, Any]:
        """A page, newest first; `next` is what to pass as `before`."""
        found = await service_of(request).store.read(
            lambda tx: lists.entries(tx, who.tenant, action, limit=limit, before=before, inventory=inventory)
        )
        return {
            "entries": [lists.shown(entry) for entry in found],
            "next": found[-1].created if len(found) >= limit else None,
        }

    @api.post("/lists/{action}", status_code=201, tags=["lists"])
    async def add(request: Request, action: Action, body: EntryBody, who: Operator) -> dict[str, Any]:
        """Allow or deny; answers when everybody it touches has been recomputed."""
        entry, settled = await service_of(request).desk.decide(who, lists.Wish(action, **body.model_dump()))
        return {"entry": lists.shown(entry), "touched": touched(settled)}

    @api.delete("/lists/{action}/{name}", tags=["lists"])
    async def remove(request: Request, action: Action, name: str, who: Operator) -> dict[str, Any]:
        """Take off the list: by the entry's id, or all of a hash or value."""
        removed, settled = await service_of(request).desk.withdraw(who, action, name)
        return {"removed": [lists.shown(entry) for entry in removed], "touched": touched(settled)}


def _hosts(api: APIRouter) -> None:
    @api.post("/hosts/{name}/clear", tags=["hosts"])
    async def clear(request: Request, name: str, body: WhyBody, who: Operator) -> dict[str, Any]:
        """A person looked at it: the reasons until now end."""
        return (await service_of(request).desk.host(who, name, hosts.clear, why=body.why))[0]

    @api.post("/hosts/{name}/quarantine", tags=["hosts"])
    async def quarantine(request: Request, name: str, body: WhyBody, who: Operator) -> dict[str, Any]:
        """Move it until withdrawn."""
        return (await service_of(request).desk.host(who, name, hosts.quarantine, why=body.why))[0]

    @api.post("/hosts/{name}/release", tags=["hosts"])
    async def release(request: Request, name: str, body: WhyBody, who: Operator) -> dict[str, Any]:
        """Back to production until there is a new reason."""
        return (await service_of(request).desk.host(who, name, hosts.release, why=body.why))[0]

    @api.post("/hosts/{name}/withdraw", tags=["hosts"])
    async def withdraw(request: Request, name: str, body: WhyBody, who: Operator) -> dict[str, Any]:
        """Take a quarantine or release back: the tables decide again."""
        return (await service_of(request).desk.host(who, name, hosts.withdraw, why=body.why))[0]

    @api.put("/hosts/{name}/never-quarantine", tags=["hosts"])
    async def protect(request: Request, name: str, body: ProtectBody, who: Admin) -> dict[str, Any]:
        """On or off the never-quarantine list."""
        desk = service_of(request).desk
        return (await desk.host(who, name, hosts.protect, on=body.never_quarantine, why=body.why))[0]


def _nas(api: APIRouter) -> None:
    @api.get("/nas", tags=["nas"])
    async def all_nas(request: Request, who: Viewer) -> list[dict[str, Any]]:
        """All of them, without secrets."""
        return [nas.shown(one) for one in await service_of(request).store.read(lambda tx: nas.all_nas(tx, who.tenant))]

    @api.put("/nas/{nas_id}", tags=["nas"])
    async def put(request: Request, nas_id: str, body: NasBody, who: Admin) -> dict[str, Any]:
        """Add or change one."""
        given = body.model_dump()
        given["secret"] = body.secret.encode()
        given["coa_secret"] = body.coa_secret.encode() if body.coa_secret else None
        given["site"] = body.site or service_of(request).config.site.name
        made = Nas(tenant=who.tenant, nas_id=nas_id, **given)
        return nas.shown(
            await service_of(request).desk.plain(lambda tx, now: nas.add_nas(tx, who, made, replace=True, now=now))
        )

    @api.delete("/nas/{nas_id}", status_code=204, tags=["nas"])
    async def remove(request: Request, nas_id: str, who: Admin, force: bool = False) -> None:
        """Refused while orders are open there, unless forced."""
        await service_of(request).desk.plain(lambda tx, now: nas.remove_nas(tx, who, nas_id, force=force, now=now))


def _settings(api: APIRouter) -> None:
    @api.get("/settings", tags=["settings"])
    async def all_settings(request: Request, who: Viewer) -> dict[str, Any]:
        """All settings with the values that hold now."""
        return await service_of(request).store.read(
            lambda tx: {name: settings.setting(tx, who.tenant, name) for name in settings.SETTINGS}
        )

    @api.put("/settings/{name}", tags=["settings"])
    async def change(request: Request, name: str, body: dict[str, Any], who: Admin) -> dict[str, Any]:
        """Set one; the old value stays in the audit."""
        made = await service_of(request).desk.plain(
            lambda tx, now: settings.change_setting(tx, who, name, body, now=now)
        )
        return {"name": made.name, "value": made.value, "version": made.version}

    @api.put("/mode", tags=["settings"])
    async def mode(request: Request, body: ModeBody, who: Admin) -> dict[str, Any]:
        """learn, monitor or enforce: for everything, a site or a group (null takes its own mode away). With `preview`
        nothing is changed; the answer says what would be."""
        desk = service_of(request).desk
        if body.preview:
            return asdict(await desk.preview(who, body.mode, site=body.site, group=body.group, confirm=body.confirm))
        changed = await desk.mode(who, body.mode, site=body.site, group=body.group, confirm=body.confirm)
        return asdict(changed.did) | {"mode": changed.value}

    @api.put("/pause", tags=["settings"])
    async def pause(request: Request, body: PauseBody, who: Operator) -> dict[str, Any]:
        """Stop all automatic moves, or go on."""
        return {"paused": body.paused, "changed": await service_of(request).desk.pause(who, body.paused, why=body.why)}


def _people(api: APIRouter) -> None:
    @api.post("/enrol-tokens", status_code=201, tags=["tokens"])
    async def enrol_token(request: Request, body: EnrolTokenBody, who: Operator) -> dict[str, Any]:
        """A one-time token, shown once."""
        from health_agent.contract import EnrolmentToken

        service = service_of(request)
        site = body.site or service.config.site.name
        secret, token = await service_of(request).desk.plain(
            lambda tx, now: tokens.make_enrolment_token(
                tx, who, site=site, minutes=body.minutes, groups=body.groups, role=body.role, now=now
            )
        )
        text = EnrolmentToken(service.config.url, service.fingerprint, secret).text()
        return {"token": text, "site": token.site, "expires": token.expires}

    @api.post("/api-tokens", status_code=201, tags=["tokens"])
    async def api_token(request: Request, body: ApiTokenBody, who: Admin) -> dict[str, Any]:
        """A bearer token, shown once."""
        secret, token = await service_of(request).desk.plain(
            lambda tx, now: tokens.make_api_token(tx, who, body.name, body.role, days=body.days, now=now)
        )
        return {"token": secret, "name": token.name, "role": token.role, "expires": token.expires}

    @api.delete("/api-tokens/{name}", status_code=204, tags=["tokens"])
    async def remove_token(request: Request, name: str, who: Admin) -> None:
        """It logs nobody in any more."""
        await service_of(request).desk.plain(lambda tx, now: tokens.remove_api_token(tx, who, name, now=now))

    @api.get("/users", tags=["people"])
    async def people(request: Request, who: Admin) -> list[dict[str, Any]]:
        """All people who may log in."""
        found = await service_of(request).store.read(lambda tx: users.users(tx, who.tenant))
        return [
            {
                "name": one.name,
                "role": one.role,
                "sites": list(one.sites),
                "one_time": one.one_time,
                "disabled": one.disabled,
            }
            for one in found
        ]

    @api.post("/users", status_code=201, tags=["people"])
    async def add_user(request: Request, body: UserBody, who: Admin) -> dict[str, Any]:
        """A new person with a one-time password, shown once."""
        import asyncio

        password = passwords.one_time()
        kept = await asyncio.to_thread(passwords.hashed, password)
        made = await service_of(request).desk.plain(
            lambda tx, now: users.add_user(
                tx, who, body.name, body.role, password=kept, one_time=True, sites=body.sites, now=now
            )
        )
        return {"name": made.name, "role": made.role, "sites": list(made.sites), "one_time_password": password}

    @api.post("/users/{name}/disable", tags=["people"])
    async def disable(request: Request, name: str, who: Admin) -> dict[str, Any]:
        """That person is logged out and stays out."""
        made = await service_of(request).desk.plain(lambda tx, now: users.disable_user(tx, who, name, now=now))
        return {"name": made.name, "disabled": made.disabled}
