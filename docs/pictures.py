"""The pictures of README and docs, made anew: `make pictures`, or `python -m docs.pictures [story] [console]`.

The console is a real `pratique serve` over a generated fleet (1,500 hosts, 10,000 sightings of a week, a roll-out that
tripped the breaker), looked at by Chromium in light and dark. The story is what `pratique lab up --once` prints on a
terminal, as SVG. What is started is ended again; nothing is taken from the network.
"""

import fcntl
import io
import os
import pty
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"
COLUMNS: Final = 108
READY_S: Final = 60.0
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main(wanted: list[str]) -> int:
    """Make the pictures named (all, if none is); 0 done, 1 one could not be made."""
    FOLDER.mkdir(exist_ok=True)
    made = 0
    for name, make in PICTURES.items():
        if not wanted or name in wanted:
            for file in make():
                made += 1
                print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KiB")
    return 0 if made else 1


# ---- the story


def story() -> Iterator[Path]:
    """`story.svg`: the terminal of the main job. Raises SystemExit where the story failed."""
    from rich.console import Console
    from rich.text import Text

    code, told = _on_a_terminal([*_pratique(), "lab", "up", "--once"])
    if code:
        raise SystemExit(f"the story failed (exit code {code}), so there is no picture of it:\n{told}")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("$ make run\n" + told.strip()))
    svg = console.export_svg(title="Pratique: first light", unique_id="first-light")
    file = FOLDER / "story.svg"
    file.write_text(_FONTS.sub("", svg), encoding="utf-8")  # a picture fetches nothing: the reader's own font will do
    yield file


def _on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run it where it sees a terminal; its exit code and what it printed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command,
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the last one closed its end
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    return process.wait(), b"".join(parts).decode(errors="replace").replace("\r\n", "\n")


# ---- the console


def console() -> Iterator[Path]:
    """`console.png` and `console-dark.png`: the first page under stress."""
    from playwright.sync_api import sync_playwright

    from tests.integration.console_pictures import CHROMIUM, log_in

    chromium: dict[str, Any] = CHROMIUM
    site: Any = SimpleNamespace()
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as url, sync_playwright() as playwright:
        site.url = url
        browser = playwright.chromium.launch(**chromium)
        for name, look in (("console", {"color_scheme": "light"}), ("console-dark", {"color_scheme": "dark"})):
            seen: dict[str, Any] = look
            context = browser.new_context(viewport={"width": 1280, "height": 860}, ignore_https_errors=True, **seen)
            page = context.new_page()
            log_in(page, site)
            page.goto(f"{url}/console/")
            page.wait_for_timeout(500)
            file = FOLDER / f"{name}.png"
            page.screenshot(path=file)
            context.close()
            yield file
        browser.close()


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    """A running service over the generated fleet; its address."""
    import asyncio

    from lab.mail import MailSink

    api, authentication, accounting, mail = _ports()
    sink = MailSink(mail)
    sink.start()
    config = folder / "pratique.toml"
    config.write_text(
        f'[service]\ndata = "data"\n[api]\nlisten = "127.0.0.1:{api}"\nnames = ["localhost"]\n[radius]\n'
        f'authentication = "127.0.0.1:{authentication}"\naccounting = "127.0.0.1:{accounting}"\n'
        f'[mail]\nserver = "127.0.0.1"\nport = {mail}\nto = ["admin@example.org"]\n',
        encoding="utf-8",
    )
    subprocess.run([*_pratique(), "database", "migrate", "--config", str(config)], check=True, capture_output=True)
    asyncio.run(_fill(f"sqlite:///{folder / 'data' / 'pratique.db'}"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*_pratique(), "serve", "--config", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(f"https://localhost:{api}/readyz", process, folder)
        yield f"https://localhost:{api}"
    finally:
        process.terminate()
        process.wait(15)
        sink.stop()


async def _fill(database: str) -> None:
    from radius_policy.store import open_store
    from tests.integration.console_site import FLEETS, people

    store = await open_store(database)
    now = time.time_ns() // 1000
    try:
        await store.write(people)
        await store.write(lambda tx: FLEETS["busy"](tx, now))
    finally:
        await store.close()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    authority = folder / "data" / "tls" / "ca.pem"
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        if authority.exists():
            try:
                if httpx.get(url, verify=ssl.create_default_context(cafile=str(authority)), timeout=5).is_success:
                    return
            except httpx.TransportError:  # not listening yet
                time.sleep(0.1)
        time.sleep(0.2)
    raise SystemExit(f"the service did not become ready:\n{(folder / 'log').read_text(errors='replace')[-2000:]}")


def _ports() -> list[int]:
    """Free ports: of the API (TCP), of RADIUS twice (UDP) and of a mail server (TCP)."""
    opened = [
        socket.socket(socket.AF_INET, kind)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
    ]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


def _pratique() -> list[str]:
    return [sys.executable, "-m", "pratique"]


PICTURES: Final[dict[str, Callable[[], Iterator[Path]]]] = {"story": story, "console": console}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
