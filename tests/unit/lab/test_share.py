"""The share and the harmless stand-in: files are taken over the network, one by one, and all of them come back."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.endpoints import locker
from lab.endpoints.share import PAGE, Client, answer
from lab.fabric import free_ports
from lab.python import environment, module

MAC = "02:00:00:00:00:15"


def say(folder: Path, **asked: object) -> dict[str, object]:
    told: dict[str, object] = json.loads(answer(folder, json.dumps({**asked, "id": 7}).encode()))
    assert told.pop("id") == 7
    return told


def fill(folder: Path, files: int) -> dict[str, bytes]:
    for number in range(files):
        (folder / f"file{number:03}.txt").write_bytes(locker.BEGINS + b"plans %d" % number)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_listed_in_pages_read_written_and_renamed(tmp_path: Path) -> None:
    names = list(fill(tmp_path, PAGE + 3))
    first = say(tmp_path, do="list")["names"]
    assert first == sorted(names)[:PAGE]
    assert say(tmp_path, do="list", after=sorted(names)[PAGE - 1])["names"] == sorted(names)[PAGE:]
    assert say(tmp_path, do="write", name="new.txt", data=b"abc".hex()) == {}
    assert say(tmp_path, do="read", name="new.txt") == {"data": b"abc".hex()}
    assert say(tmp_path, do="rename", name="new.txt", to="old.txt") == {}
    assert (tmp_path / "old.txt").read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".", "", "a/b", "a\n", 7, None])
def test_nothing_outside_of_its_folder_is_touched(tmp_path: Path, name: object) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "inside").write_text("x")
    assert "is no name" in str(say(folder, do="read", name=name)["error"])
    assert "is no name" in str(say(folder, do="write", name=name, data="00")["error"])
    assert "is no name" in str(say(folder, do="rename", name="inside", to=name)["error"])
    assert [path.name for path in folder.iterdir()] == ["inside"]


@pytest.mark.parametrize("payload", [b"\0\1\2\3\4\5\6\7", b"", b"ping"])
def test_what_is_no_request_is_an_echo(tmp_path: Path, payload: bytes) -> None:
    assert answer(tmp_path, payload) == payload


@pytest.mark.parametrize("payload", [b"{", b'{"do": "format"}', b'{"do": "read", "name": "none"}', b"{}"])
def test_what_cannot_be_done_is_an_answer(tmp_path: Path, payload: bytes) -> None:
    assert "error" in json.loads(answer(tmp_path, payload))


@pytest.fixture(params=[[], ["--frames"]], ids=["datagrams", "frames"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A share and its address."""
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    folder = tmp_path / "share"
    folder.mkdir()
    command = [*module("lab.endpoints.share"), str(folder), "--listen", f"127.0.0.1:{port}", *request.param]
    process = subprocess.Popen(command, env=environment())
    with Client(f"127.0.0.1:{port}", MAC if request.param else "") as client:
        for _ in range(100):
            if client.ask(do="list") is not None:
                break
            time.sleep(0.05)
    yield f"127.0.0.1:{port}" + (f" {MAC}" if request.param else ""), folder
    process.kill()
    process.wait()


def test_every_file_is_taken_with_a_note_and_all_come_back(
    server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = server
    before = fill(folder, PAGE * 2 + 1)
    monkeypatch.setattr(locker, "PAUSE_S", 0)
    monkeypatch.setattr(locker, "TIRED_S", 1.0)
    with Client(*address.split()) as client:
        assert locker.run(client) == len(before)
    taken = {path.name for path in folder.iterdir()}
    assert taken == {f"{name}{locker.ENDING}" for name in before} | {f"{locker.NOTE}.txt"}
    assert all(before[path.name.removesuffix(locker.ENDING)] != path.read_bytes() for path in folder.glob("file*"))
    assert locker.restored(folder) == len(before)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_that_was_interrupted_half_way_comes_back_too(tmp_path: Path) -> None:
    before = fill(tmp_path, 3)
    (tmp_path / "file000.txt").write_bytes(locker.turned(before["file000.txt"]))  # written, not renamed yet
    assert locker.restored(tmp_path) == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_without_an_answer_it_gives_up_and_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locker, "TIRED_S", 0.2)
    with Client("127.0.0.1:9", patience_s=0.05) as client:
        assert locker.run(client) == 0


def test_the_echo_of_a_ping_is_no_answer() -> None:
    """On the port table pinger and locker of one endpoint get each other's datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            data, source = server.recvfrom(2048)
            asked = json.loads(data)
            for answered in (b"\0\1\2\3\4\5\6\xff", b"[1]", b'{"id": 99}', json.dumps({"id": asked["id"]}).encode()):
                server.sendto(answered, source)

        thread = threading.Thread(target=serve)
        thread.start()
        with Client(f"127.0.0.1:{server.getsockname()[1]}", patience_s=5) as client:
            assert client.ask(do="list") == {"id": 1}
        thread.join()


def test_the_locker_waits_for_its_order_and_not_for_a_look(server: tuple[str, Path]) -> None:
    address, folder = server
    host, *mac = address.split()
    fill(folder, 1)
    pipe = folder.parent / "go"
    os.mkfifo(pipe)
    command = [*module("lab.endpoints.locker"), "--share", host, "--mac", *(mac or [""]), "--go", str(pipe)]
    waiting = subprocess.Popen(command, env=environment())
    try:
        for _ in range(200):
            try:
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
                break
            except OSError:  # it has not opened it yet
                time.sleep(0.05)
        time.sleep(0.5)
        assert (folder / "file000.txt").exists()
        pipe.write_text("go\n")
        for _ in range(200):
            if (folder / f"file000.txt{locker.ENDING}").exists():
                break
            time.sleep(0.05)
        assert (folder / f"file000.txt{locker.ENDING}").exists()
    finally:
        waiting.kill()
        waiting.wait()
