"""`pratique agent enrol | run | learn | status`: what a person or a service manager calls.

Guarantees: exit code 0 when it is done, 1 when it could not be (one sentence on stderr says why and what to do), 2 for
wrong arguments; never a traceback for what a person can do wrong. Only what a command needs is imported.
"""

import argparse
import logging
import os
import socket
import sys
import time
from pathlib import Path

DEFAULT_STATE = "/var/lib/pratique-agent"


def main(argv: list[str]) -> int:
    """Run one command; the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    result: int = arguments.command(arguments)
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pratique agent", description="The endpoint agent.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    enrol = commands.add_parser("enrol", help="make this machine an endpoint, with a one-time token")
    enrol.add_argument(
        "token", metavar="TOKEN", help="what 'pratique enrol-token' printed; '-' reads it from standard input"
    )
    enrol.add_argument("--name", default=socket.gethostname(), help="the endpoint's name (default: this machine's)")
    enrol.add_argument(
        "--mac",
        action="append",
        default=[],
        metavar="MAC",
        help="bind this MAC address (default: those of the interfaces)",
    )
    enrol.add_argument("--replace", action="store_true", help="give up the enrolment that is there")
    enrol.set_defaults(command=_enrol)
    run = commands.add_parser("run", help="watch and report, until stopped")
    run.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="PATH",
        help="watch the file system (polling: the folder) of PATH; default: all local ones",
    )
    run.add_argument("--sensor", choices=("auto", "fanotify", "polling"), default="auto")
    run.add_argument(
        "--poll-interval",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="seconds between two looks of the polling sensor (default: 1)",
    )
    run.add_argument(
        "--dhcp-renew",
        metavar="COMMAND",
        default="",
        help="what renews the DHCP lease when the service orders it; split at spaces, no shell (default: nothing, dhcpcd follows the carrier by itself)",
    )
    run.add_argument(
        "--spool-limit",
        type=int,
        default=64,
        metavar="MIB",
        help="the most that unsent reports may take on disk (default: 64)",
    )
    run.set_defaults(command=_run)
    learn = commands.add_parser("learn", help="take what is installed now as known, and tell the service")
    learn.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="PATH",
        help="scan below PATH (default: where programs are installed, and $PATH)",
    )
    learn.set_defaults(command=_learn)
    status = commands.add_parser("status", help="how the agent of this machine is")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(command=_status)
    for command in (enrol, run, learn, status):
        command.add_argument(
            "--state",
            type=Path,
            default=Path(DEFAULT_STATE),
            metavar="DIR",
            help=f"the agent's state (default: {DEFAULT_STATE})",
        )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.02 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds between 0.02 and 3600")
    return seconds


def _enrol(arguments: argparse.Namespace) -> int:
    from health_agent import identity, network
    from health_agent.enrol import EnrolmentError, Machine, enrol

    state: Path = arguments.state
    if identity.enrolled(state) and not arguments.replace:
        return _failed(f"this machine is enrolled already ({state}); to enrol it anew add --replace")
    token = sys.stdin.readline() if arguments.token == "-" else arguments.token  # noqa: S105 - a dash is no secret
    try:
        macs = tuple(_mac(mac) for mac in arguments.mac)
        machine = Machine(arguments.name, macs or network.macs(), bool(macs), _version())
        endpoint = enrol(state, token, machine, time.time_ns() // 1000)
    except (EnrolmentError, identity.IdentityError, ValueError) as error:
        return _failed(str(error))
    print(f"enrolled as {arguments.name} ({endpoint.host_id}) at site {endpoint.site} with {endpoint.url}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from health_agent.identity import IdentityError
    from health_agent.sensors import SensorError
    from health_agent.service import Options, ServiceError, start
    from health_agent.spool import SpoolError

    try:
        return start(
            Options(
                state=arguments.state,
                version=_version(),
                watch=tuple(arguments.watch),
                sensor=arguments.sensor,
                poll_interval_s=arguments.poll_interval,
                dhcp_renew=tuple(arguments.dhcp_renew.split()),
                spool_limit=arguments.spool_limit << 20,
            )
        )
    except (IdentityError, ServiceError, SensorError, SpoolError) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"the state directory {arguments.state} cannot be used: {error.strerror}")


def _learn(arguments: argparse.Namespace) -> int:
    from health_agent import baseline, identity
    from health_agent.learning import upload

    started, unreadable = time.monotonic(), list[str]()
    try:
        endpoint = identity.load(arguments.state)
        lines = list(baseline.scan(arguments.watch or baseline.usual_places(os.environ.get("PATH", "")), unreadable))
        baseline.store(arguments.state / "baseline", lines)
    except identity.IdentityError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"the baseline cannot be made: {error}")
    proven = sum(line.proven for line in lines)
    print(f"{len(lines)} executables in {time.monotonic() - started:.1f} s, {proven} of them proven by their package")
    if unreadable:
        print(f"{len(unreadable)} could not be read and stay unknown: {', '.join(unreadable[:3])}, …", file=sys.stderr)
    if reason := upload(endpoint, lines):
        return _failed(f"the baseline is stored here, but the service does not have it: {reason}; run learn again")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    import msgspec

    from health_agent import status
    from health_agent.locking import is_held

    path = arguments.state / "status.json"
    try:
        now = status.read(path)
        if now.running and not is_held(arguments.state):
            now = msgspec.structs.replace(now, running=False)
    except FileNotFoundError:
        return _failed(f"no agent has run with {arguments.state}; start one with: pratique agent run")
    except (OSError, ValueError) as error:
        return _failed(f"the status cannot be read: {error}")
    if arguments.json:
        print(msgspec.json.encode(now).decode())
    else:
        print(status.text(now))
    return 0 if now.running else 1


def _mac(text: str) -> str:
    """Canonical text of a MAC address as people write them. Raises ValueError with a sentence."""
    digits = text.lower().translate({ord(mark): None for mark in ":-. "})
    if len(digits) != 12 or any(digit not in "0123456789abcdef" for digit in digits):
        raise ValueError(f"'{text}' is no MAC address; it has six pairs of hexadecimal digits, as in 02:00:00:00:00:10")
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("pratique")
    except metadata.PackageNotFoundError:
        return "not installed"


def _failed(sentence: str) -> int:
    print(f"pratique agent: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(list[str](sys.argv[1:])))
