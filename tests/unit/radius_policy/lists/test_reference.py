"""Attached reference sets: found is what is in them, nothing else, and the published file stays as it is."""

import os
import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius_policy.lists.reference import BadIndex, HashSet, attach, build
from radius_policy.lists.sources import SourceError


def digests(count: int, seed: int = 1) -> list[bytes]:
    return [sha256(f"{seed}/{number}".encode()).digest() for number in range(count)]


def test_a_set_knows_what_is_in_it_and_nothing_else(tmp_path: Path) -> None:
    known = digests(5_000)
    assert build(known, tmp_path / "index") == 5_000
    with HashSet("rds", tmp_path / "index") as opened:
        assert opened.count == 5_000
        assert all(opened.lookup(each.hex()) == "" for each in known)
        assert not any(opened.lookup(each.hex()) is not None for each in digests(5_000, seed=2))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.binary(min_size=32, max_size=32), max_size=50),
    st.lists(st.binary(min_size=32, max_size=32), max_size=10),
)
def test_any_digests_are_found_the_outermost_included(
    tmp_path_factory: pytest.TempPathFactory, known: list[bytes], other: list[bytes]
) -> None:
    edge = [b"\0" * 32, b"\xff" * 32, *known]
    index = tmp_path_factory.mktemp("set") / "index"
    assert build(iter(edge + edge), index) == len(set(edge))
    with HashSet("x", index) as opened:
        assert all(each in opened for each in edge)
        assert [each in opened for each in other] == [each in set(edge) for each in other]


def test_what_is_no_hash_is_not_known(tmp_path: Path) -> None:
    build(digests(3), tmp_path / "index")
    with HashSet("x", tmp_path / "index") as opened:
        assert opened.lookup("") is None
        assert opened.lookup("zz") is None
        assert opened.lookup("ab" * 16) is None


def test_an_index_is_built_once_and_anew_when_its_source_changed(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    one, two = (each.hex() for each in digests(2))
    source.write_text(one + "\n")
    with attach("own", source, allows=True) as first:
        assert first.lookup(one) == ""
        built = first.index.stat().st_mtime_ns
    with attach("own", source) as again:
        assert again.index.stat().st_mtime_ns == built
    source.write_text(two + "\n")
    os.utime(source, ns=(1, 1))
    with attach("own", source) as other:
        assert (other.lookup(one), other.lookup(two)) == (None, "")


def test_a_cut_off_index_is_refused_and_built_again(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text("\n".join(each.hex() for each in digests(100)))
    attach("own", source).close()
    index = tmp_path / "list.txt.ptqset"
    index.write_bytes(index.read_bytes()[:-7])
    with pytest.raises(BadIndex, match="cut off"):
        HashSet("own", index)
    with attach("own", source) as again:
        assert again.count == 100


def test_a_wrong_line_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text("nonsense\n")
    with pytest.raises(SourceError):
        attach("own", source)
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_the_index_may_lie_in_a_folder_of_the_service(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text(digests(1)[0].hex())
    folder = tmp_path / "data"
    folder.mkdir()
    attach("own", source, folder=folder).close()
    assert [index.suffix for index in folder.iterdir()] == [".ptqset"]
    assert not (tmp_path / "list.txt.ptqset").exists()


def test_two_sources_of_one_name_have_each_their_index_there(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "list.txt").write_text(digests(2)[number].hex())
    folder = tmp_path / "data"
    first, second = (attach(name, tmp_path / name / "list.txt", folder=folder) for name in ("a", "b"))
    assert first.lookup(digests(2)[0].hex()) == second.lookup(digests(2)[1].hex()) == ""
    assert len(list(folder.iterdir())) == 2


def test_a_set_that_nobody_has_any_more_is_closed(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text(digests(1)[0].hex())
    opened = attach("own", source)
    file = opened._file
    del opened
    assert file.closed


def test_building_tells_its_progress(tmp_path: Path) -> None:
    told: list[int] = []
    some = digests(1_000)
    build((random.Random(1).choice(some) for _ in range(200_000)), tmp_path / "index", progress=told.append)
    assert told == [100_000, 200_000]
