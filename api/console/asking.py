"""The page that asks before something is decided, with what it would do and what was given so far."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Response

from api.console.guard import Visit
from radius_policy.store.interface import Reading

FIELDS: Final = ("why", "ticket", "days", "scope")
"""What a person may say with a decision."""


async def ask(
    visit: Visit, preview: Callable[[Reading], Any], given: Mapping[str, str] | None = None, error: str = ""
) -> Response:
    """`error` is why it was not done as it was given; then the answer is 409."""
    return await visit.show(
        "decide.html",
        lambda reading, _: preview(reading),
        status=409 if error else 200,
        error=error,
        given=given or dict.fromkeys(FIELDS, ""),
    )
