"""Carry TCP connections from a listening socket that was inherited to an address: `python -m lab.relay FD HOST PORT`.

The lab binds the console's socket on the host before it enters its own network namespace; this process accepts on it
inside. Octets pass unchanged both ways, TLS included; each side's end is passed on.
"""

import asyncio
import contextlib
import socket
import sys
from typing import Final

CHUNK: Final = 65536


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):  # the other side went away, which ends this direction
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(listener: socket.socket, host: str, port: int) -> None:
    """Relay until cancelled. A connection that the target refuses is closed at once."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(host, port)
        except OSError as error:
            print(f"relay: {host}:{port} does not accept: {error}", file=sys.stderr, flush=True)
            writer.close()
            return
        await asyncio.gather(_carry(reader, there_writer), _carry(there_reader, writer))
        writer.close()
        there_writer.close()

    server = await asyncio.start_server(accepted, sock=listener)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3])))
