"""Published lists of hashes: every form is read, and every line that is wrong is named."""

import gzip
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radius_policy.lists.sources import SourceError, read, whole, wrong_hash

A, B, C = "a" * 64, "b" * 64, "c" * 64


def written(folder: Path, text: str, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def said(path: Path) -> list[tuple[str, str]]:
    return [(entry.sha256, entry.text) for entry in whole(path)]


def test_a_plain_list_may_say_something_behind_each_hash(tmp_path: Path) -> None:
    path = written(tmp_path, f"# own indicators\n{A}\n\n{B.upper()}  bad.exe\n{C} *other.exe\n")
    assert said(path) == [(A, ""), (B, "bad.exe"), (C, "other.exe")]
    assert [entry.line for entry in whole(path)] == [2, 4, 5]


def test_a_csv_is_read_by_its_header(tmp_path: Path) -> None:
    assert said(written(tmp_path, f'family,SHA256,more\nx,{A.upper()},1\n"y, z",{B},2\n')) == [(A, "x"), (B, "y, z")]


def test_a_zipped_list_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(f"sha256,product\n{A},Paint\n".encode()))
    assert said(path) == [(A, "Paint")]


def test_the_dump_of_a_golden_rpm_machine_lists_its_regular_files(tmp_path: Path) -> None:
    lines = [
        f"/usr/bin/with space 1024 1700000000 {A} 0100755 root root 0 0 0 X",
        f"/usr/share 4096 1700000000 {'0' * 64} 040755 root root 0 0 0 X",
        f"/usr/bin/link 4 1700000000 {'0' * 64} 0120777 root root 0 0 0 ls",
    ]
    assert said(written(tmp_path, "\n".join(lines) + "\n")) == [(A, "/usr/bin/with space")]


def test_loldrivers_json_gives_the_samples_that_have_a_sha256(tmp_path: Path) -> None:
    drivers = [
        {
            "Id": "1",
            "Tags": ["gdrv.sys"],
            "KnownVulnerableSamples": [{"SHA256": A.upper(), "MD5": "x"}, {"MD5": "only"}],
        },
        {"Id": "2", "Tags": [], "Filename": "other.sys", "KnownVulnerableSamples": [{"SHA256": B}, {"SHA256": ""}]},
    ]
    assert said(written(tmp_path, json.dumps(drivers), "drivers.json")) == [(A, "gdrv.sys"), (B, "other.sys")]


def test_loldrivers_csv_has_several_samples_in_one_cell(tmp_path: Path) -> None:
    text = f'Id,KnownVulnerableSamples_SHA256,Tags\n1,"{A}, {B}",gdrv.sys\n2,,none\n'
    assert said(written(tmp_path, text, "drivers.csv")) == [(A, "gdrv.sys"), (B, "gdrv.sys")]


def rds(folder: Path, hashes: list[str]) -> Path:
    """A set as the NSRL publishes them (RDS v3, the columns of its FILE table)."""
    path = folder / "RDS_2026.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL, file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO FILE VALUES (?, '', '', '', 'f', 1, 1)", [(each.upper(),) for each in hashes]
        )
    connection.close()
    return path


def test_an_nsrl_set_is_read_as_it_is_published_and_left_alone(tmp_path: Path) -> None:
    path = rds(tmp_path, [A, B])
    before = path.read_bytes()
    assert [sha for sha, _ in said(path)] == [A, B]
    assert path.read_bytes() == before


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()
    with pytest.raises(SourceError, match="no NSRL RDS v3 set"):
        whole(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{A}\n{'a' * 32}\n", "list.txt:2: an MD5, which does not identify a file here"),
        (f"{A}\n{'b' * 40} x\n", "list.txt:2: a SHA-1"),
        (f"{A}\nevil.exe\n", "list.txt:2: 'evil.exe' is no SHA-256"),
        (f"sha256,why\n{A},x\n{B}\n", "list.txt:3: 1 columns, the header has 2"),
        ("sha256,why\n,x\n", "list.txt:2: no hash"),
        ("", "no hash in this file"),
        ("# nothing\n", "no hash in this file"),
        ('[{"SHA256": "x"}]', "list.txt:1: 'x' is no SHA-256"),
        ('[{"SHA256": \n', "list.txt:2: not valid JSON"),
        ('["x"]', "entry 1 of the list is no object"),
        ("[]", "no hash in this file"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        whole(written(tmp_path, text))
    assert message in str(caught.value)


def test_of_very_many_wrong_lines_the_first_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        whole(written(tmp_path, "x\n" * 5000))
    assert len(str(caught.value).splitlines()) == 21
    assert "more lines like these; nothing was taken" in str(caught.value)


def test_a_cut_off_zipped_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(b"x" * 10_000)[:-12])
    with pytest.raises(SourceError, match="not readable"):
        whole(path)


def test_progress_is_told_while_reading(tmp_path: Path) -> None:
    told: list[int] = []
    whole(written(tmp_path, "".join(f"{number:064x}\n" for number in range(20_001))), told.append)
    assert told == [10_000, 20_000]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    try:
        hashes = [entry.sha256 for entry in read(path)]
    except SourceError as error:
        hashes = [] if error.bad else ["refused without a reason"]
    assert all(wrong_hash(sha) is None for sha in hashes)


@pytest.mark.shared
def test_the_recorded_bad_hashes_are_read_whole(shared: Path) -> None:
    entries = whole(shared / "data" / "hashes" / "badware.csv.gz")
    assert len(entries) == 11_961
    assert max(Counter(entry.sha256 for entry in entries).values()) >= 1
