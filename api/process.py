"""`python -m api.process ROLE …`: one process of the service, as the supervisor starts it.

It reads its few options itself, because the command line's framework would cost each start a tenth of a second.
"""

import argparse
import asyncio
import atexit
import gc
import sys
from pathlib import Path
from typing import Final

from api.config import Config, load
from api.expected import expected
from api.start import EXIT_CANNOT_START

ROLES: Final = ("api", "radius")


def run(role: str, config: Config) -> None:
    """Serve until SIGTERM or SIGINT. Raises one of the `expected` errors where it cannot start."""
    import uvloop

    from api import logs

    logs.configure()
    if role == "radius":
        from api.radius_process.process import serve
    else:
        from api.main import serve
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config))


def main(argv: list[str]) -> int:
    """0, or EXIT_CANNOT_START with a sentence on stderr."""
    gc.set_threshold(50_000)  # as in `pratique/__main__.py`: a start makes many objects and frees few,
    atexit.register(gc.freeze)  # and who ends need not look for garbage: it would take a second
    options = argparse.ArgumentParser(prog="python -m api.process")
    options.add_argument("role", choices=ROLES)
    options.add_argument("--config", type=Path)
    options.add_argument("--database")
    options.add_argument("--parent", type=int, required=True)
    given = options.parse_args(argv)
    from api.supervisor import die_with

    die_with(given.parent)
    try:
        run(given.role, load(given.config, database=given.database))
    except expected() as error:
        print(f"pratique: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
