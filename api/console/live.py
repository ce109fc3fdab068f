"""`GET /console/live`: the event stream behind the pages, as long as the browser is there and its login holds."""

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.auth.identify import COOKIE
from api.console.guard import Visit
from api.console.hub import Hub


class StillThere:
    """Whether the browser is connected and its login holds."""

    def __init__(self, request: Request, visit: Visit) -> None:
        self._request = request
        self._visit = visit

    async def __call__(self) -> bool:
        if await self._request.is_disconnected():
            return False
        return await self._visit.service.logins.of_cookie(self._request.cookies.get(COOKIE, "")) is not None


def answer(visit: Visit) -> Response:
    """The answer to `GET /console/live`."""
    hub: Hub = visit.request.app.state.live
    if hub.full:
        return Response(status_code=503, headers={"Retry-After": "10"})
    stream = hub.stream(visit.who.tenant, StillThere(visit.request, visit))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
