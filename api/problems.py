"""What is answered when something is wrong: RFC 9457 problem details, `application/problem+json`.

Guarantees: every error leaves this service in that one form, with `type` = `urn:pratique:problem:NAME` and a sentence
in `detail` that says what is wrong and what to do; nothing of a traceback, a path or a secret goes to the peer. `NAMES` is
the whole list.

Two families: `Problem` is what the peer did wrong (4xx); a `StoreError` or any other exception is ours (5xx), is
logged with its cause and answered without it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
URN: Final = "urn:pratique:problem:"

NAMES: Final[Mapping[str, tuple[int, str]]] = {
    "malformed": (400, "The request does not fit"),
    "unauthenticated": (401, "Not logged in"),
    "bad-signature": (401, "The signature does not fit the body"),
    "unknown-host": (401, "No such endpoint is enrolled"),
    "other-endpoint": (403, "The body speaks for another endpoint than its key"),
    "forbidden": (403, "Not allowed for this role"),
    "csrf": (403, "The form was not made by this console"),
    "token-unknown": (403, "There is no such enrolment token"),
    "token-used": (409, "The enrolment token has been used"),
    "token-expired": (403, "The enrolment token has expired"),
    "key-in-use": (409, "This key belongs to an endpoint already"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This method is not answered here"),
    "conflict": (409, "It does not fit what is there"),
    "clock-skew": (409, "The endpoint's clock is off"),
    "too-large": (413, "The body is too large"),
    "too-many": (429, "Too many attempts"),
    "internal": (500, "The service failed"),
    "store-unavailable": (503, "The store cannot be written"),
}
"""Name → (status, title): the table of problems in docs/reference/http-api is made from it."""


class Problem(Exception):
    """The peer's request cannot be done. `members` become further members of the answer."""

    def __init__(self, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.name = name
        self.status, self.title = NAMES[name]
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def body(self) -> bytes:
        """The JSON of RFC 9457 section 3."""
        return msgspec.json.encode(
            {"type": URN + self.name, "title": self.title, "status": self.status, "detail": self.detail, **self.members}
        )

    def response(self) -> "Response":
        from starlette.responses import Response

        return Response(self.body(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


_OF_STATUS: Final = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
}


def of_status(status: int, detail: str) -> Problem:
    """The problem for a bare HTTP status, as frameworks raise them."""
    problem = Problem(_OF_STATUS.get(status, "malformed" if status < 500 else "internal"), detail)
    problem.status = status
    problem.title = NAMES[problem.name][1] if status in _OF_STATUS else HTTPStatus(status).phrase
    return problem


def install(app: "Starlette") -> None:
    """Answer every exception of `app` as a problem."""
    from starlette.exceptions import HTTPException

    from radius_policy.store.interface import StoreError

    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _ours)


def answer(request: "Request", error: Exception) -> "Response":
    """The same for what stands outside of a framework: the problem that an exception is answered with."""
    from radius_policy.store.interface import StoreError

    if isinstance(error, Problem):
        return error.response()
    return _store(request, error) if isinstance(error, StoreError) else _ours(request, error)


def _problem(_: "Request", error: Any) -> "Response":
    problem: Problem = error
    return problem.response()


def _http(_: "Request", error: Any) -> "Response":
    problem = of_status(error.status_code, str(error.detail))
    problem.headers.update(error.headers or {})
    return problem.response()


def of_validation(_: "Request", error: Any) -> "Response":
    """The answer to a FastAPI `RequestValidationError`."""
    wrong = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
    return Problem("malformed", "; ".join(wrong)[:2000]).response()


def _store(request: "Request", error: Exception) -> "Response":
    from api.logs import logger

    logger(__name__).error("store_failed", path=request.url.path, error=str(error))
    return store_problem(error).response()


def store_problem(error: Exception) -> Problem:
    """What a peer is told when the store failed: try again, nothing was lost."""
    return Problem(
        "store-unavailable",
        "the service cannot write its database at the moment; nothing was recorded, so send the same again shortly",
        headers={"Retry-After": "2"},
        cause=type(error).__name__,
    )


def _ours(request: "Request", error: Exception) -> "Response":
    from api.logs import logger

    logger(__name__).error("request_failed", path=request.url.path, exc_info=error)
    return Problem("internal", "the service failed on this request; its log has the reason").response()
