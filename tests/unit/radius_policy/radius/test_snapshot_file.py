"""The snapshot's file: one whole state, then what changed, each piece whole or not at all."""

from itertools import accumulate

import msgspec
import pytest

from radius_policy.model import Access, HostId, Mac, MacAccess, Nas, Setting, TenantId
from radius_policy.radius.snapshot import Delta, Snapshot
from radius_policy.radius.snapshot_file import VERSION, SnapshotError, piece, pieces

ONE, MAC = TenantId(1), Mac("02:00:00:00:00:10")
ROW = MacAccess(ONE, MAC, HostId("h"), Access.PRODUCTION, 7)
NEWER = MacAccess(ONE, MAC, HostId("h"), Access.REMEDIATION, 8)
WHOLE = Delta(
    5,
    {(ONE, MAC): ROW},
    {(ONE, "sw1"): Nas(ONE, "sw1", "10.0.0.1", b"\xffsecret")},
    {(ONE, "vlans"): Setting(ONE, "vlans", {"remediation": "99"}, 1, "admin", 0)},
    whole=True,
)
CHANGES = [
    Delta(6, {(ONE, MAC): NEWER}),
    Delta(7, {}, {(ONE, "sw1"): None}, {(ONE, "vlans"): None}),
    Delta(8, {(ONE, MAC): None}),
]


def test_what_was_written_comes_back_in_its_order() -> None:
    octets = b"".join(map(piece, [WHOLE, *CHANGES]))
    assert list(pieces(octets)) == [WHOLE, *CHANGES]


def test_read_into_a_snapshot_the_last_word_counts() -> None:
    snapshot = Snapshot()
    for delta in pieces(piece(WHOLE) + piece(CHANGES[0])):
        snapshot.apply(delta)
    assert snapshot.answer(ONE, MAC, "main").access is Access.REMEDIATION
    assert snapshot.find_nas("default", "10.0.0.1").secret.octets == b"\xffsecret"
    assert snapshot.sequence == 6


def test_a_process_killed_at_any_octet_loses_the_last_piece_alone() -> None:
    parts = list(map(piece, [WHOLE, *CHANGES]))
    octets, ends = b"".join(parts), list(accumulate(map(len, parts)))
    for length in range(ends[0], len(octets)):
        found, complaint = readable(octets[:length])
        assert found == [WHOLE, *CHANGES][: sum(end <= length for end in ends)]
        assert ("what changed last" in complaint) is (length not in ends)


def readable(octets: bytes) -> tuple[list[Delta], str]:
    """What can be read, and what is said of the rest."""
    found: list[Delta] = []
    try:
        for delta in pieces(octets):
            found.append(delta)  # noqa: PERF402 - what came before the error counts
    except SnapshotError as error:
        return found, str(error)
    return found, ""


@pytest.mark.parametrize("octets", [b"", b"rubbish", piece(WHOLE)[:-1], piece(CHANGES[0])])
def test_a_file_without_its_beginning_is_refused_with_a_sentence(octets: bytes) -> None:
    with pytest.raises(SnapshotError, match="damaged"):
        next(pieces(octets))


def test_a_changed_octet_anywhere_is_noticed() -> None:
    octets = piece(WHOLE)
    for place in range(len(octets)):
        changed = bytearray(octets)
        changed[place] ^= 1
        with pytest.raises(SnapshotError):
            list(pieces(bytes(changed)))


def test_a_file_of_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radius_policy.radius.snapshot_file.VERSION", 99)
    octets = piece(WHOLE)
    monkeypatch.setattr("radius_policy.radius.snapshot_file.VERSION", VERSION)
    with pytest.raises(SnapshotError, match="version 99"):
        next(pieces(octets))


def test_a_right_checksum_over_something_else_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radius_policy.radius.snapshot_file._encode", lambda piece: msgspec.msgpack.encode([1, 2]))
    octets = piece(WHOLE)
    with pytest.raises(SnapshotError, match="damaged"):
        next(pieces(octets))
