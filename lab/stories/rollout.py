"""The roll-out: a deployment agent starts a new program on eleven endpoints while the twelfth starts an unknown one.

Guarantees: all programs are really started, and every move is counted in the switch's own journal. The roll-out is
judged by the parent chain that the agents report, so by an inventoried content that a person confirmed, never by its
name. The story fails at the first step that is not as it should be, and when any other host than patient zero moves.
"""

import json
import time
from functools import partial
from typing import Any, Final

from lab import dozen
from lab.endpoints import programs
from lab.endpoints.deployment import Deployment
from lab.fabric import PRODUCTION, REMEDIATION, Endpoint
from lab.fabric.wide import DOZEN
from lab.narrator import Narrator, StoryFailed
from lab.processes import Died, kill_descendants
from lab.site import Site
from lab.stories import Story

ZERO: Final = DOZEN[6]
OTHERS: Final = tuple(endpoint for endpoint in DOZEN if endpoint is not ZERO)
TRUST: Final = ("--trust", "grace", "--hours", "24", "--max-hosts", "50")
SETTLE_S: Final = 1.0


def prepare(site: Site, narrator: Narrator) -> None:
    """A quiet morning with twelve endpoints, on each of which an inventoried deployment agent runs."""
    dozen.widen(site)
    deployment = _deployment(site)
    with narrator.step("the network"):
        site.build()
        narrator.say("A network with a dozen endpoints on one switch.")
    with narrator.step("the policy service"):
        site.serve()
        narrator.say("The policy service is ready.", site.service_start_ms)
    with narrator.step("settings, enrolment and inventory"):
        deployment.found()
        for endpoint in DOZEN:
            deployment.install(endpoint.name, site.fabric.programs(endpoint))
        dozen.furnish(site)
        narrator.say("Mode is enforce; twelve endpoints are enrolled, and each has told what is installed on it.")
    with narrator.step("the deployment tool"):
        proposed = site.policy.ask("GET", "/v1/tools?role=deployment")
        if len(proposed) != 1 or proposed[0]["confirmed"]:
            raise StoryFailed("the deployment tool", f"the inventories should propose one tool, not {proposed}")
        said = site.policy.cli("tool", "confirm", proposed[0]["sha256"], *TRUST, "--why", "our software distribution")
        narrator.say(f"The inventories propose a deployment tool, and the admin confirms it: {said.strip()}.")
        narrator.say(
            "Grace is the recommended trust for a tool that takes its orders over the network; `proof` has no bounds."
        )
    with narrator.step("the endpoints join"):
        dozen.connect(site)
        narrator.say("The switch authenticated twelve ports by MAB; all have an address in production.")
    with narrator.step("the agents"):
        for endpoint in DOZEN:
            command = deployment.command(endpoint.name, site.fabric.programs(endpoint))
            site.processes.start(f"deploy-{endpoint.name}", *site.fabric.enter(endpoint), *command)
        dozen.watch(site)
        narrator.say("Their agents watch; the deployment agents, known from the inventory, disturb nobody.")


def play(site: Site, narrator: Narrator) -> dict[str, Any]:
    """The roll-out, patient zero, and the way back."""
    with narrator.step("a quiet morning"):
        site.wait("all endpoints to be healthy", partial(dozen.healthy, site), 20, 0.2)
    deployment = _deployment(site)
    with narrator.step("the roll-out begins"):
        wanted = programs.make(deployment.depot, "editor")
        bad = programs.make(site.fabric.programs(ZERO), "invoice")
        since = _now()
        for endpoint in OTHERS[:5]:
            deployment.order(endpoint.name, wanted)
        start = programs.start(site.fabric.enter(ZERO), bad, 60)
        for endpoint in OTHERS[5:]:
            deployment.order(endpoint.name, wanted)
        narrator.say(
            f"The deployment agents start {wanted.path.name} on eleven endpoints, SHA-256 {wanted.sha256[:16]}…"
        )
        narrator.say(
            f"Meanwhile {ZERO.name} starts {bad.path.name}, SHA-256 {bad.sha256[:16]}…, never seen before either."
        )
    try:
        return _told(site, narrator, wanted, bad, start, since)
    finally:
        start.process.kill()
        start.process.wait()
        _end(site, wanted)
        bad.path.unlink()


def _told(
    site: Site,
    narrator: Narrator,
    wanted: programs.NewProgram,
    bad: programs.NewProgram,
    start: programs.Start,
    since: int,
) -> dict[str, Any]:
    with narrator.step("patient zero"):
        at = site.wait("patient zero to be moved", partial(_moved, site, ZERO, REMEDIATION, start.us), 15)
        narrator.say(f"{ZERO.name} is in remediation.", _ms(start.us, at))
    with narrator.step("the roll-out goes on"):
        chain = site.wait("eleven hosts to run the new program", partial(_everywhere, site, wanted), 30, 0.3)
        narrator.say(f"It runs on eleven endpoints, {chain}.")
        time.sleep(SETTLE_S)
        ports = dozen.moved(site, since)
        others = ports - {ZERO.port}
        contained = _contained(site)
        narrator.say(f"Other hosts moved: {len(others)}. Executables contained: {contained}.")
        if others:
            raise StoryFailed("the roll-out goes on", f"moved although they ran only the roll-out: {sorted(others)}")
    with narrator.step("the mail"):
        mail = site.wait("the mail about patient zero", lambda: _mails(site, bad.sha256), 15)[0]
        if _mails(site, wanted.sha256):
            raise StoryFailed("the mail", "somebody was woken because of the roll-out")
        narrator.say(f"One mail for a person: {mail!r}. The roll-out waits for the day's report.")
    with narrator.step("the admin allows it"):
        site.wait("the move to be confirmed", lambda: site.policy.confirmed_us(ZERO.mac, "remediation", since), 15)
        allowed = _now()
        site.policy.allow(bad.sha256, "seen in the roll-out")
        back = site.wait("patient zero to return", partial(_moved, site, ZERO, PRODUCTION, allowed), 15)
        narrator.say(f"`pratique allow add` was typed, and {ZERO.name} is back in production.", _ms(allowed, back))
        site.wait("the release to be confirmed", lambda: site.policy.confirmed_us(ZERO.mac, "production", allowed), 15)
        site.wait("all endpoints to be healthy", partial(dozen.healthy, site), 15, 0.2)
    others = dozen.moved(site, since) - {ZERO.port}
    return {
        "ok": not others,
        "fabric": site.fabric.name,
        "patient_zero_moved": ZERO.port in ports,
        "others_moved": len(others),
        "contained": contained,
        "free_after_allow_ms": _ms(allowed, back),
        "exec_to_moved_ms": _ms(start.us, at),
        "rolled_out": len(OTHERS),
    }


def _deployment(site: Site) -> Deployment:
    return Deployment(site.state / "depot", site.state / "orders")


def _everywhere(site: Site, wanted: programs.NewProgram) -> str | None:
    """How the roll-out was judged, once every host that should has reported it: who started it, and by which rule."""
    try:
        steps = json.loads(site.policy.cli("why", wanted.sha256, "--json"))["steps"]
    except Died as error:
        if "ever started" in str(error):  # no report yet
            return None
        raise
    starts = [step for step in steps if step["kind"] == "start"]
    if len(starts) < len(OTHERS):
        return None
    rules = {str(step["facts"]["ref"]) for step in starts}
    if rules != {"managed-installer"} or not all(
        "started by" in step["text"] and "opsiclientd" in step["text"] for step in starts
    ):
        raise StoryFailed("the roll-out goes on", f"it was not judged by its deployment agent: {starts[0]['text']}")
    return f"started by opsiclientd as their parent chains show, graced by rule {rules.pop()}"


def _contained(site: Site) -> int:
    """How many executables are contained instead of moving their hosts."""
    reasons = [reason for endpoint in DOZEN for reason in site.policy.host(endpoint.mac)["reasons"]]
    return len({reason["key"] for reason in reasons if reason["contained"]})


def _moved(site: Site, endpoint: Endpoint, vlan: str, since_us: int) -> int | None:
    line = site.journal.find("moved", since_us=since_us, port=endpoint.port, vlan=vlan)
    return None if line is None else int(line["us"])


def _mails(site: Site, sha256: str) -> list[str]:
    return [mail.subject for mail in site.mail.mails if sha256 in mail.text or sha256 in mail.subject]


def _end(site: Site, wanted: programs.NewProgram) -> None:
    """End the rolled-out program everywhere, so that the story can be told again."""
    for endpoint in OTHERS:
        kill_descendants(site.processes.pid(f"deploy-{endpoint.name}"))
        (site.fabric.programs(endpoint) / wanted.path.name).unlink(missing_ok=True)


def _now() -> int:
    return time.time_ns() // 1000


def _ms(begin_us: int, end_us: int) -> float:
    return round((end_us - begin_us) / 1000, 2)


STORY: Final = Story("rollout", "A roll-out, and patient zero in its midst", prepare, play)
