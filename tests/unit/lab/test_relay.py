"""The console's relay: octets through, refusals told."""

import asyncio
import socket

from lab.relay import serve


def _listener() -> socket.socket:
    opened = socket.socket()
    opened.bind(("127.0.0.1", 0))
    opened.listen()
    return opened


async def _talk(listener: socket.socket, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        writer.write(said)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def test_what_is_said_arrives_and_so_does_the_answer() -> None:
    async def story() -> bytes:
        async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read()).upper())
            await writer.drain()
            writer.close()

        listener = _listener()
        target = await asyncio.start_server(shout, "127.0.0.1", 0)
        relay = asyncio.create_task(serve(listener, *target.sockets[0].getsockname()))
        try:
            return await _talk(listener, b"hello " * 50_000)
        finally:
            relay.cancel()
            target.close()

    assert asyncio.run(story()) == b"HELLO " * 50_000


def test_when_the_service_is_away_the_connection_is_closed() -> None:
    async def story() -> bytes:
        listener, gone = _listener(), _listener()
        address = gone.getsockname()
        gone.close()
        relay = asyncio.create_task(serve(listener, *address))
        try:
            return await _talk(listener, b"hello")
        finally:
            relay.cancel()

    assert asyncio.run(story()) == b""
