"""The server's sockets: octets in, octets out, a bounded number at once, errors counted."""

import asyncio
import socket

import pytest

from radius_policy.radius.shell import AT_ONCE, Port


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_each_datagram_is_answered_to_its_source_or_not_at_all() -> None:
    taken: list[bytes] = []

    def take(octets: bytes, source: tuple[str, int], port: Port) -> bytes | None:
        taken.append(octets)
        return octets[::-1] if octets != b"silence" else None

    port = Port("127.0.0.1", 0, take)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(2)
        peer.sendto(b"silence", port.address)
        for n in range(AT_ONCE + 10):
            peer.sendto(b"%03d" % n, port.address)
        await asyncio.sleep(0.05)
        assert peer.recv(100) == b"000"
        assert peer.recv(100) == b"100"
    assert len(taken) == AT_ONCE + 11
    assert port.counts["datagrams"] == AT_ONCE + 11
    port.close()


@pytest.mark.anyio
async def test_what_cannot_be_sent_is_counted() -> None:
    port = Port("127.0.0.1", 0, lambda octets, source, port: None)
    port.send(b"x", ("255.255.255.255", 9))
    assert sum(count for name, count in port.counts.items() if name.startswith("send_error_")) == 1
    port.close()


@pytest.mark.anyio
async def test_an_address_that_is_taken_is_named() -> None:
    port = Port("127.0.0.1", 0, lambda octets, source, port: None)
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port.address[1]}/udp"):
        Port(*port.address, lambda octets, source, port: None)
    port.close()
