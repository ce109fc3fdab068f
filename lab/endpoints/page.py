"""The page that a host in the remediation VLAN sees: `python -m lab.endpoints.page ADDRESS PORT`."""

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

TEXT: Final = (
    "<!doctype html><title>In quarantine</title><h1>This computer is in quarantine</h1>"
    "<p>It started a program that nobody here knows. Your administrator has been told; when the program is allowed, "
    "the computer returns to the network by itself.</p>"
)


class Page(BaseHTTPRequestHandler):
    """One page for every path."""

    def do_GET(self) -> None:
        body = TEXT.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Visitors are not logged."""


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
