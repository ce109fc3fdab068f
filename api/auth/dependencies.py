"""What a FastAPI route asks for: `identity: Annotated[Identity, needs(Role.OPERATOR)]`."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request

from api.auth.identify import identify
from api.auth.roles import Forbidden, Identity, Role
from api.problems import Problem


def needs(role: Role) -> Any:
    """A dependency that gives the Identity, or answers 401 or 403. Rights for single sites are checked by the action."""

    async def dependency(request: Request) -> Identity:
        identity = await identify(request)
        if identity is None:
            raise Problem(
                "unauthenticated",
                "log in, or send a valid token: Authorization: Bearer ptk_…",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if identity.must_change or identity.role.rank < role.rank:
            try:
                identity.require(role)
            except Forbidden as error:
                raise Problem("forbidden", str(error)) from error
        return identity

    made: Callable[[Request], Awaitable[Identity]] = dependency
    return Depends(made)
