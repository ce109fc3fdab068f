"""First light: endpoint 2 starts a program that nobody has ever seen, is moved into remediation, and comes back.

Guarantees: every figure is measured from outside the policy service where possible: execve by the starting process,
the move by the switch's journal, frames by a tap on the cable, pings by the endpoints themselves. The service's own
times (report stored, move confirmed) come from its API. The story fails at the first step that is not as it should be.
"""

import time
from functools import partial
from typing import Any, Final

from lab.endpoints import programs
from lab.fabric import ENDPOINTS, PRODUCTION, REMEDIATION, Endpoint
from lab.narrator import Narrator, StoryFailed
from lab.site import NotInTime, Site
from lab.stories import Story

FIRST, SECOND, THIRD = ENDPOINTS
MOVE_S: Final = 10.0
SUBNET: Final = {PRODUCTION: "10.77.1.", REMEDIATION: "10.77.2."}


def prepare(site: Site, narrator: Narrator) -> None:
    """Everything up to the quiet morning: the site is there, three healthy endpoints ping the file server."""
    with narrator.step("the network"):
        site.build()
        narrator.say("A network: production 10.77.1.0/24, remediation 10.77.2.0/24, a switch between them.")
    with narrator.step("the policy service"):
        site.serve()
        narrator.say(
            "The policy service is ready: an API process, a RADIUS process, one database.", site.service_start_ms
        )
    with narrator.step("settings and enrolment"):
        site.furnish()
        narrator.say("Mode is enforce; the switch is known; three endpoints are enrolled with one-time tokens.")
    with narrator.step("the endpoints join"):
        site.connect()
        addresses = ", ".join(f"{e.name} {site.fabric.address(e)}" for e in ENDPOINTS)
        narrator.say(f"The switch authenticated its ports by MAB: {addresses}.")
    with narrator.step("the agents"):
        site.watch()
        narrator.say("Their agents watch, and all three ping the file server.")


def play(site: Site, narrator: Narrator) -> dict[str, Any]:
    """One unknown program, there and back."""
    with narrator.step("a quiet morning"):
        all_quiet(site)
    with narrator.step("an unknown program starts"):
        program = programs.make(site.fabric.programs(SECOND), "invoice")
        mails = len(site.mail.mails)
        start = programs.start(site.fabric.enter(SECOND), program, 40)
        narrator.say(f"{SECOND.name} starts {program.path.name}, SHA-256 {program.sha256[:16]}…, never seen before.")
    try:
        figures = _there_and_back(site, narrator, program, start, mails)
    finally:
        start.process.kill()
        start.process.wait()
        program.path.unlink()
    with narrator.step("nobody else is disturbed"):
        figures["others_disturbed"] = _disturbed(site, start.us)
        narrator.say(f"Pings lost by endpoints 1 and 3 all the while: {figures['others_disturbed']}.")
        if figures["others_disturbed"]:
            raise StoryFailed("nobody else is disturbed", f"{figures['others_disturbed']} pings of others were lost")
    return {"ok": True, "fabric": site.fabric.name, **figures}


def _there_and_back(
    site: Site, narrator: Narrator, program: programs.NewProgram, start: programs.Start, mails: int
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with narrator.step("the report"):
        moved = _await_move(site, start.us)  # before the API is asked, which would disturb what is measured
        received = site.wait("the report to be stored", lambda: site.policy.received_us(SECOND.mac, program.sha256), 2)
        figures["sensor"] = site.policy.host(SECOND.mac)["sensor"]
        figures["exec_to_report_ms"] = _ms(start.us, received)
        narrator.say(
            f"The agent saw it ({figures['sensor']}) and the service has its report.", figures["exec_to_report_ms"]
        )
    with narrator.step("the move"):
        if moved is None:
            raise NotInTime(f"waited {MOVE_S:g} s for the switch to move the port")
        figures["exec_to_moved_ms"] = _ms(start.us, moved)
        figures["packets_after_exec"] = len(site.fabric.frames(SECOND, start.us, moved))
        narrator.say("CoA went out, the switch asked again, the port is in remediation.", figures["exec_to_moved_ms"])
        narrator.say(f"Frames of {SECOND.name} that reached production after execve: {figures['packets_after_exec']}.")
    with narrator.step("the posture"):
        posture = site.policy.host(SECOND.mac)["posture"]
        if posture != "potential_problem":
            raise StoryFailed("the posture", f"{SECOND.name} is {posture}, not potential_problem")
    with narrator.step("confirmation"):
        confirmed = site.wait(
            "the move to be confirmed", lambda: site.policy.confirmed_us(SECOND.mac, "remediation", start.us), 10
        )
        figures["confirmed_ms"] = _ms(start.us, confirmed)
        narrator.say("Confirmed: the new session's accounting carries our Class.", figures["confirmed_ms"])
    with narrator.step("in remediation"):
        address = site.wait(f"an address in {SUBNET[REMEDIATION]}0/24", partial(address_in, site, REMEDIATION), 10)
        site.fabric.page(SECOND)
        after = _now()
        narrator.say(f"{SECOND.name} has {address} and sees the remediation page.", _ms(moved, after))
        time.sleep(0.3)
        if answered := site.pings(SECOND).answered(moved):
            raise StoryFailed(
                "in remediation", f"{len(answered)} pings to the file server were answered after the move"
            )
        for other in (FIRST, THIRD):
            site.wait(f"{other.name} to go on pinging", partial(site.pings(other).answered, after), 5)
        narrator.say("Its ping to the file server has stopped; endpoints 1 and 3 go on.")
    with narrator.step("the mail"):
        mail = site.wait(
            "an alert mail that names the hash",
            lambda: next(
                (m for m in site.mail.mails[mails:] if program.sha256 in m.text or program.sha256 in m.subject), None
            ),
            15,
        )
        narrator.say(f"A mail lies in the admin's box: {mail.subject!r}.", _ms(start.us, mail.us))
    with narrator.step("the admin allows it"):
        allowed = _now()
        site.policy.allow(program.sha256, "seen in first light")
        back = site.wait("the port to return", lambda: _moved(site, PRODUCTION, allowed), 15)
        figures["allow_to_released_ms"] = _ms(allowed, back)
        narrator.say(
            "`pratique allow add` was typed, and the port is back in production.", figures["allow_to_released_ms"]
        )
    with narrator.step("the return"):
        address = site.wait(f"an address in {SUBNET[PRODUCTION]}0/24", partial(address_in, site, PRODUCTION), 10)
        first = site.wait("the ping to resume", lambda: site.pings(SECOND).answered(back), 10)[0]
        narrator.say(f"{SECOND.name} has {address} again and its ping resumed.", _ms(back, first.sent_us))
        site.wait(
            "the release to be confirmed", lambda: site.policy.confirmed_us(SECOND.mac, "production", allowed), 10
        )
        site.wait(f"{SECOND.name} to be healthy", partial(_healthy, site, SECOND), 5)
    return figures


def all_quiet(site: Site) -> None:
    """Returns when all endpoints ping and are healthy. Raises NotInTime."""
    now = _now()
    for endpoint in ENDPOINTS:
        site.wait(f"{endpoint.name} to ping", partial(site.pings(endpoint).answered, now), 5)
        site.wait(f"{endpoint.name} to be healthy", partial(_healthy, site, endpoint), 10)


def _healthy(site: Site, endpoint: Endpoint) -> bool:
    return bool(site.policy.host(endpoint.mac)["posture"] == "healthy")


def _moved(site: Site, vlan: str, since_us: int) -> int | None:
    line = site.journal.find("moved", since_us=since_us, port=SECOND.port, vlan=vlan)
    return None if line is None else int(line["us"])


def _await_move(site: Site, since_us: int) -> int | None:
    try:
        return site.wait("the move", partial(_moved, site, REMEDIATION, since_us), MOVE_S)
    except NotInTime:
        return None


def address_in(site: Site, vlan: str) -> str | None:
    """The address of endpoint 2 if it is one of this VLAN's subnet, else None."""
    now = site.fabric.address(SECOND)
    return now if now is not None and now.startswith(SUBNET[vlan]) else None


def _disturbed(site: Site, since_us: int) -> int:
    """Lost pings of the others; the last ones need their second to be counted."""
    until = _now()
    for other in (FIRST, THIRD):
        site.wait(f"{other.name} to ping on", partial(site.pings(other).answered, until + 1_100_000), 5, 0.1)
    return sum(site.pings(other).lost(since_us, until) for other in (FIRST, THIRD))


def _now() -> int:
    return time.time_ns() // 1000


def _ms(begin_us: int, end_us: int) -> float:
    return round((end_us - begin_us) / 1000, 2)


STORY: Final = Story("first-light", "One unknown program, there and back", prepare, play)
