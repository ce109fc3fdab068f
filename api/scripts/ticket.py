"""Open a ticket for an event: `ticket --url https://tickets.example.org/api/tickets [--token-file FILE]`.

Posts one JSON object: `title`, `text`, `id` (the event's, which is also the header `Idempotency-Key`, so that a repeated
run makes no second ticket where the system knows that header), `host`, `severity`, and the whole event as `event`.
Any 2xx is success; 429 and 5xx are tried again.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import httpx

from api.scripts import exchange

TITLE: Final = 200


def ticket(told: dict[str, Any]) -> dict[str, Any]:
    """The ticket of an event. Text from endpoints stays data: JSON holds it, one line each in the title."""
    name = told.get("name") or told.get("text") or ""
    host = told.get("host") or ""
    title = " ".join(f"{told.get('event')} {host} {name}".split())
    return {
        "title": title[:TITLE],
        "text": told.get("text") or "",
        "id": told.get("event_id") or "",
        "host": host,
        "severity": told.get("severity") or "info",
        "event": told,
    }


def main(argv: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="ticket", description="Open a ticket for an event.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="sent as bearer token")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="the CA (PEM) of a system that others do not know")
    given = parser.parse_args(argv)
    try:
        made = ticket(exchange.read())
        token = given.token_file.read_text("utf-8").strip() if given.token_file else ""
    except OSError as error:
        return exchange.failed("ticket", f"its configuration cannot be used: {error}", exchange.CONFIGURATION)
    except ValueError as error:
        return exchange.failed("ticket", f"this is no event: {error}", exchange.NOT_DONE)
    headers = {"Idempotency-Key": str(made["id"])} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with httpx.Client(verify=_verify(given.ca_file), timeout=10, trust_env=False) as client:
            answer = client.post(given.url, json=made, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        return exchange.failed("ticket", f"its configuration cannot be used: {error}", exchange.CONFIGURATION)
    except httpx.HTTPError as error:
        return exchange.failed("ticket", f"not now: {error!r}", exchange.NOT_NOW)
    if answer.is_success:
        print(f"a ticket was opened: {answer.status_code}")
        return 0
    again = answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error
    return exchange.failed(
        "ticket",
        f"the ticket system answered {answer.status_code}: {answer.text[:200]!r}",
        exchange.NOT_NOW if again else exchange.NOT_DONE,
    )


def _verify(ca_file: Path | None) -> Any:
    import ssl

    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
