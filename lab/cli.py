"""`pratique lab`: a small site to see the product work, and its stories."""

import argparse
import sys
from collections.abc import Sequence

from lab.fabric import FabricError, choose
from lab.launch import launch
from lab.stories import STORIES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pratique lab", description=__doc__)
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    up = words.add_parser("up", help="build the site, tell a story, and keep the console up until Ctrl-C")
    up.add_argument(
        "--once", action="store_true", help="end after the story, with its exit code (so without a terminal)"
    )
    up.add_argument(
        "--story", default="first-light", choices=sorted(STORIES), help="which story (default: first-light)"
    )
    up.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="where the console can be reached")
    story = words.add_parser("story", help="play one story without staying, or list them")
    story.add_argument("name", nargs="?", metavar="NAME", choices=sorted(STORIES))
    story.add_argument("--list", action="store_true", help="list the stories")
    story.add_argument("--json", action="store_true", help="the last line of output is one JSON object")
    for one in (up, story):
        one.add_argument("--fabric", choices=("netns", "table"), help="default: what this machine can do")
        one.add_argument("--keep", action="store_true", help="keep the state folder (logs, database) afterwards")
    return parser


def main(argv: Sequence[str]) -> int:
    """Answer `pratique lab …`; 0 done, 1 failed at a named step, 2 a command line that makes no sense."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.word == "story" and given.list:
        for name, (_, title) in STORIES.items():
            print(f"{name:16} {title}")
        return 0
    if given.word == "story" and given.name is None:
        parser.error("story: which one? `pratique lab story --list` lists them")
    try:
        choice = choose(given.fabric)
    except FabricError as error:
        print(f"pratique lab: {error}", file=sys.stderr)
        return 1
    if given.word == "story":
        return launch(
            "story", fabric=choice.name, why=choice.why, story=given.name, json_only=given.json, keep=given.keep
        )
    return launch(
        "up",
        fabric=choice.name,
        why=choice.why,
        story=given.story,
        stay=sys.stdout.isatty() and not given.once,
        keep=given.keep,
        listen=given.listen,
    )
