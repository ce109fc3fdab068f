"""From a request to a decoded struct: size, JSON and shape. Whatever does not fit is a Problem, never half understood."""

from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from api.problems import Problem

LARGEST: Final = 4 * 1024 * 1024

T = TypeVar("T")


async def read(request: Request, largest: int = LARGEST) -> bytes:
    """The raw body, at most `largest` octets. Raises Problem `too-large` before more is kept in memory."""
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > largest:
        raise _too_large(largest)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > largest:
                raise _too_large(largest)
            parts.append(part)
    except ClientDisconnect as error:
        raise Problem("malformed", "the connection ended in the middle of the body") from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """The struct in `body`. Raises Problem `malformed` that names the wrong field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Problem("malformed", f"the body does not fit: {error}") from error
    except msgspec.DecodeError as error:
        raise Problem("malformed", f"the body is no JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise Problem("malformed", "the body is not UTF-8") from error
    except RecursionError as error:
        raise Problem("malformed", "the body is nested too deeply") from error


def _too_large(largest: int) -> Problem:
    return Problem("too-large", f"a body has at most {largest} octets; send less at once")
