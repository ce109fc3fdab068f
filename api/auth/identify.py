"""Who asks: a bearer token or the console's cookie, nothing else.

Guarantees: a cookie alone never changes anything: unsafe methods need the login's CSRF value in `X-CSRF-Token` too. The
cookie's name has the `__Host-` prefix, so a browser takes it only over HTTPS, for this host and the whole path.
"""

import hmac
from typing import TYPE_CHECKING, Final

from api.auth.roles import Identity
from api.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIE: Final = "__Host-pratique"
CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def identify(request: "Request") -> Identity | None:
    """Who asks, or None. Raises Problem `csrf` for a cookie that would change something without the CSRF value."""
    logins = request.app.state.service.logins
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        found: Identity | None = await logins.of_bearer(token.strip())
        return found
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    who: Identity | None = await logins.of_cookie(cookie)
    if who and request.method not in _SAFE:
        check_csrf(who, request.headers.get(CSRF_HEADER, ""))
    return who


def check_csrf(identity: Identity, given: str) -> None:
    """Raises Problem unless `given` is the login's own CSRF value."""
    if not identity.csrf or not hmac.compare_digest(identity.csrf.encode(), given.encode()):
        raise Problem("csrf", "this form is old or was not made by the console; reload the page and try again")
