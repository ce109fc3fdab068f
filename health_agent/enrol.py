"""How a machine becomes an endpoint: a one-time token for an identity.

Guarantees: the CA is fetched without trust and believed only when its SHA-256 is the one in the token; the secret of
the token is sent only over TLS that this CA vouches for; an enrolment that fails changes nothing on this machine.
"""

import platform
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from health_agent import identity, uplink
from health_agent.contract import Enrolled, Enrolment, EnrolmentToken

SENTENCES = {
    "token-unknown": "the service does not know this token; it may be from another installation, or mistyped",
    "token-used": "this token was used before; each token enrols one endpoint",
    "token-expired": "this token has expired",
}


class EnrolmentError(Exception):
    """Enrolment did not happen; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What an endpoint says of itself. `own_macs`: the MACs are named by the admin and stay; else they follow the interfaces."""

    name: str
    macs: tuple[str, ...]
    own_macs: bool
    version: str


def enrol(state: Path, token_text: str, machine: Machine, now_us: int) -> identity.Endpoint:
    """Make this machine an endpoint. Raises EnrolmentError, IdentityError."""
    try:
        token = EnrolmentToken.parse(token_text)
    except ValueError as error:
        raise EnrolmentError(str(error)) from error
    if not machine.macs:
        raise EnrolmentError("this machine has no network interface with a MAC address; name one with --mac")
    url = token.url.rstrip("/")
    ca_pem = _fetch_ca(url, token.ca)
    key = identity.new_key(state)
    asked = Enrolment(
        token=token.secret,
        public_key=identity.public_key(key),
        name=machine.name,
        macs=machine.macs,
        agent_version=machine.version,
        os=f"{platform.system()} {platform.release()}",
    )
    enrolled = _ask(url, ca_pem, asked)
    endpoint = identity.Endpoint(
        host_id=enrolled.host_id,
        url=url,
        site=enrolled.site,
        offset_us=enrolled.service_us - now_us,
        heartbeat_s=enrolled.heartbeat_s,
        macs=machine.macs if machine.own_macs else (),
    )
    identity.save(state, endpoint, ca_pem)
    return endpoint


def _fetch_ca(url: str, wanted: str) -> str:
    """The certificate with the fingerprint in the token, as PEM."""
    try:
        # Not verified: there is nothing yet to verify with. The fingerprint decides.
        with httpx.Client(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501
            response = client.get(url + "/v1/ca")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EnrolmentError(_unreachable(error, url)) from error
    if response.status_code != 200:
        raise EnrolmentError(
            f"{url} is no policy service: it answered HTTP {response.status_code} when asked for its CA"
        )
    end = "-----END CERTIFICATE-----"
    for part in response.text.split(end)[:-1]:
        pem = part[part.find("-----BEGIN") :] + end + "\n"
        try:
            if identity.fingerprint(pem) == wanted:
                return pem
        except ValueError:
            continue  # no certificate in this part: the fingerprint is looked for in the others
    raise EnrolmentError(
        f"the CA of {url} is not the one this token was made for; the service was set up anew (make a new token), "
        "or somebody is in between"
    )


def _ask(url: str, ca_pem: str, asked: Enrolment) -> Enrolled:
    try:
        with httpx.Client(verify=identity.trusting(ca_pem), trust_env=False, timeout=10) as client:
            response = client.post(
                url + "/v1/enrol", content=msgspec.json.encode(asked), headers={"Content-Type": "application/json"}
            )
    except httpx.HTTPError as error:
        raise EnrolmentError(_unreachable(error, url)) from error
    if response.status_code not in (200, 201):
        problem = uplink.problem_of(response.content)
        sentence = SENTENCES.get(problem.name, f"the service refused (HTTP {response.status_code}): {problem.text}")
        raise EnrolmentError(sentence + ("; make one with: pratique enrol-token" if problem.name in SENTENCES else ""))
    try:
        return msgspec.json.decode(response.content, type=Enrolled)
    except msgspec.MsgspecError as error:
        raise EnrolmentError(f"the answer of {url} is not understood ({error}); is it of another release?") from error


def _unreachable(error: Exception, url: str) -> str:
    return uplink.failure(error, url) + "; is the service running, and is this its address?"
