"""What changes something: every one is a POST, checked for login, role and CSRF value, and audited by what it calls."""

from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from api.admin import hosts as admin_hosts
from api.admin.lists import Wish
from api.auth.identify import COOKIE
from api.auth.logins import LIFE, TooMany, WrongLogin
from api.auth.passwords import WeakPassword
from api.auth.roles import Forbidden
from api.console.asking import FIELDS, ask
from api.console.decisions import HOST_DEEDS, LIST_DEEDS, host_preview, list_preview
from api.console.guard import BASE, Anybody, ConsoleRoute, NotLoggedIn, Visiting, anybody, go, local_path, text
from api.console.render import page
from api.errors import NotFound, Refused
from api.service import service_of
from radius_policy.model import SECOND, Micros

forms = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
DAY = 86_400 * SECOND


@forms.get("/login")
async def login_page(request: Request, next: str = BASE) -> Response:
    try:
        await anybody(request)
    except NotLoggedIn:
        return page("login.html", next=local_path(next), error="", name="")
    return go(local_path(next))


@forms.post("/login")
async def login(request: Request) -> Response:
    service = service_of(request)
    form = await request.form(max_files=0, max_fields=10)
    following, name = local_path(text(form, "next")), text(form, "name", 200)
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("this login form was not made by the console; open the console and log in there")
    try:
        done = await service.logins.log_in(name, str(form.get("password", "")), _address(request))
    except WrongLogin as error:
        said = f"{str(error) or 'name or password is wrong'}."
        return page("login.html", 401, next=following, error=said[0].upper() + said[1:], name=name)
    except TooMany as error:
        return page("login.html", 429, next=following, error=f"{str(error).capitalize()}.", name=name)
    response = go(f"{BASE}password" if done.identity.must_change else following)
    response.set_cookie(
        COOKIE, done.cookie, max_age=LIFE // SECOND, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


@forms.post("/logout")
async def logout(visit: Anybody) -> Response:
    await visit.form()
    await visit.service.logins.log_out(visit.request.cookies[COOKIE])
    response = go(f"{BASE}login")
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response


@forms.get("/password")
async def password_page(visit: Anybody) -> Response:
    return page("password.html", who=visit.who, error="")


@forms.post("/password")
async def password(visit: Anybody) -> Response:
    form = await visit.form()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    logins, name = visit.service.logins, visit.who.name
    try:
        if new != again:
            raise WeakPassword("the two new passwords differ")
        await logins.change_password(name, old, new, _address(visit.request))
    except (WeakPassword, WrongLogin, TooMany) as error:
        said = "the present password is wrong" if isinstance(error, WrongLogin) else str(error)
        return page("password.html", 422, who=visit.who, error=f"{said[0].upper()}{said[1:]}.")
    done = await logins.log_in(name, new, _address(visit.request))
    response = go(BASE)
    response.set_cookie(
        COOKIE, done.cookie, max_age=LIFE // SECOND, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


@forms.post("/executables/{sha256}/{deed}")
async def decide_executable(visit: Visiting, sha256: str, deed: str) -> Response:
    form = await visit.form()
    if deed not in LIST_DEEDS:
        raise NotFound("an executable can be allowed or denied")
    try:
        wish = _wish(form, sha256, deed, visit.now)
        await visit.service.desk.decide(visit.who, wish)
    except (Refused, Forbidden) as error:
        preview = partial(list_preview, who=visit.who, sha256=sha256, deed=deed, now=visit.now)
        return await ask(visit, preview, _given(form), _sentence(error))
    return go(f"{BASE}executables/{sha256}")


@forms.post("/hosts/{host_id}/{deed}")
async def decide_host(visit: Visiting, host_id: str, deed: str) -> Response:
    form = await visit.form()
    if deed not in HOST_DEEDS:
        raise NotFound("a host can be released, quarantined or cleared")
    try:
        if not text(form, "why"):
            raise Refused("say why, in a few words: it stands in the audit")
        await visit.service.desk.host(visit.who, host_id, admin_hosts.DEEDS[deed], why=text(form, "why"))
    except (Refused, Forbidden) as error:
        preview = partial(host_preview, who=visit.who, host_id=host_id, deed=deed, now=visit.now)
        return await ask(visit, preview, _given(form), _sentence(error))
    return go(f"{BASE}hosts/{host_id}")


@forms.post("/lists/{action}/remove/{entry_id}")
async def remove_entry(visit: Visiting, action: str, entry_id: str) -> Response:
    await visit.form()
    await visit.service.desk.withdraw(visit.who, action, entry_id)
    return go(f"{BASE}lists/{action}")


@forms.post("/pause")
async def pause(visit: Visiting) -> Response:
    form = await visit.form()
    paused, why = text(form, "paused") == "yes", text(form, "why")
    await visit.service.desk.pause(visit.who, paused, why=why)
    return go(local_path(text(form, "back")))


def _wish(form: FormData, sha256: str, deed: str, now: Micros) -> Wish:
    why, days = text(form, "why"), text(form, "days", 10)
    if not why:
        raise Refused("say why, in a few words: it stands in the audit and in the list")
    if days and not (days.isdecimal() and 1 <= int(days) <= 3650):
        raise Refused("the expiry is a number of days from 1 to 3650, or empty for no expiry")
    expires = now + int(days) * DAY if days else None
    return Wish(
        deed,
        sha256,
        scope=text(form, "scope", 300) or "fleet",
        why=why,
        ticket=text(form, "ticket", 200),
        expires=expires,
    )


def _given(form: FormData) -> dict[str, str]:
    return {name: text(form, name) for name in FIELDS}


def _sentence(error: Exception) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
