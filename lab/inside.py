"""The inner half of the lab: builds the site, plays the story, keeps the console up: `python -m lab.inside ORDER`.

On the netns fabric it is PID 1 of its own namespaces, so its end is the end of everything. On both it collects
orphans and ends when the pipe from the outer half closes; it has ten seconds to do so, then the kernel does it.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lab.launch import Order
from lab.measure import judged, measure, table
from lab.narrator import Narrator, StoryFailed
from lab.processes import end_descendants, reap_orphans, subreaper
from lab.site import ADMIN, Site
from lab.stories import load

GRACE_S: Final = 10.0


class Interrupted(BaseException):
    """The outer half asked for the end, or is gone."""


def _interrupt(number: int, frame: object) -> None:
    raise Interrupted


def _follow(life: int) -> None:
    """End with the outer half: nothing ever comes through the pipe but its end."""
    os.read(life, 1)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(GRACE_S)
    end_descendants()
    os._exit(1)


def run(order: Order) -> int:
    """Carry the order out; the exit code."""
    narrator = Narrator(json_only=order.json)
    story = load(order.story)
    action = ACTIONS[order.action]
    site: Site | None = None
    try:
        site = Site(Path(order.state), order.fabric, order.console)
        narrator.title(f"Pratique: {story.title}")
        narrator.plain(f"Fabric: {order.why}.")
        result = action(order, site, narrator)
    except StoryFailed as failed:
        narrator.failed(failed.step, failed.reason)
        result = {
            "ok": False,
            "story": order.story,
            "fabric": order.fabric,
            "failed": failed.step,
            "reason": failed.reason,
        }
    except Interrupted:
        narrator.plain("Interrupted.")
        return 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if site is not None:
            site.close()
        if not order.keep:
            shutil.rmtree(order.state, ignore_errors=True)
    if order.json:
        print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


def _story(order: Order, site: Site, narrator: Narrator) -> dict[str, Any]:
    story = load(order.story)
    story.prepare(site, narrator)
    return story.play(site, narrator)


def _up(order: Order, site: Site, narrator: Narrator) -> dict[str, Any]:
    result = _story(order, site, narrator)
    narrator.title("The story is told")
    if order.stay:
        narrator.plain(f"Console: https://{order.console_address}/   user {ADMIN}, one-time password {site.password}")
        narrator.plain(f"The service's own CA: {site.policy.ca_file}. Ctrl-C takes everything down.")
        try:
            with narrator.step("the console stays up"):
                while True:
                    time.sleep(1)
                    site.processes.check()
                    reap_orphans(site.processes.pids())
        except Interrupted:
            narrator.plain("Taking everything down.")
    return result


def _bench(order: Order, site: Site, narrator: Narrator) -> dict[str, Any]:
    result = judged(measure(site, narrator, order.runs))
    if not order.json:
        for line in table(result):
            narrator.plain(line)
    return result


ACTIONS: Final[dict[str, Callable[[Order, Site, Narrator], dict[str, Any]]]] = {
    "story": _story,
    "up": _up,
    "bench": _bench,
}


def main(text: str) -> int:
    order = Order(**json.loads(text))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _interrupt)
    subreaper()
    threading.Thread(target=_follow, args=(order.life,), daemon=True).start()
    try:
        return run(order)
    finally:
        end_descendants()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
