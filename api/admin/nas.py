"""Switches, access points and controllers: who may ask our RADIUS server, and where CoA goes."""

import ipaddress
import re
import uuid
from dataclasses import asdict
from typing import Any

from api import audit
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from api.words import count
from radius_policy.model import OPEN_STATES, Host, Micros, Nas, Order, OrderState, Session, TenantId
from radius_policy.store.interface import Reading, Tx, first

MIN_SECRET = 8
_MOVING = tuple(OPEN_STATES - {OrderState.FAILED})
_MOST_NAMED = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def add_nas(tx: Tx, who: Identity, nas: Nas, *, replace: bool = False, now: Micros) -> Nas:
    """Let a NAS ask. `replace` changes one that is there. Raises Refused or Conflict."""
    who.require(Role.ADMIN)
    _check(nas)
    same = tx.get(Nas, who.tenant, nas.nas_id)
    if same and not replace:
        raise Conflict(f'there is a NAS "{nas.nas_id}" already; --replace changes it')
    taken = first(
        other
        for other in tx.find(Nas, tenant=who.tenant, listener=nas.listener, address=nas.address)
        if other.nas_id != nas.nas_id
    )
    if taken:
        raise Conflict(f'{nas.address} is the NAS "{taken.nas_id}" already: RADIUS knows a NAS by its source address')
    tx.put(nas)
    tx.note(who.tenant, "nas", nas.nas_id)
    detail = {key: value for key, value in shown(nas).items() if key != "nas_id"}
    what = "nas.change" if same else "nas.add"
    audit.append(tx, who.tenant, at=now, who=who.name, what=what, subject=nas.nas_id, detail=detail)
    return nas


def remove_nas(tx: Tx, who: Identity, nas_id: str, *, force: bool = False, now: Micros) -> None:
    """It may not ask any more. Refused while moves are under way there, unless forced: then those that cannot go on any
    more fail, and what is on the wire runs out (tables.md, "Profile or NAS removed"). Raises NotFound or Conflict."""
    who.require(Role.ADMIN)
    nas = find_nas(tx, who.tenant, nas_id)
    moving = [order for order in tx.find(Order, tenant=who.tenant, state=_MOVING) if order.nas_id == nas_id]
    if moving and not force:
        listed = "; ".join(_named(tx, order) for order in moving[:_MOST_NAMED])
        more = f"; and {len(moving) - _MOST_NAMED} more" if len(moving) > _MOST_NAMED else ""
        raise Conflict(
            f'{count(len(moving), "order")} to "{nas_id}" under way: {listed}{more}. '
            "Wait until they are done, or say --force (REST: force=true): those not sent yet then fail as no_profile"
        )
    for order in moving:
        _fail(tx, order, nas, now)
    tx.delete(Nas, tenant=who.tenant, nas_id=nas_id)
    tx.note(who.tenant, "nas", nas_id)
    detail = {"forced": force, "orders": len(moving)}
    audit.append(tx, who.tenant, at=now, who=who.name, what="nas.remove", subject=nas_id, detail=detail)


def _named(tx: Reading, order: Order) -> str:
    host = tx.get(Host, order.tenant, order.host_id)
    return f"{host.name if host else order.host_id} ({order.mac}) to {order.access}, {order.state.replace('_', ' ')}"


def _fail(tx: Tx, order: Order, nas: Nas, now: Micros) -> None:
    """By the table of a move: what is on the wire stays as it is."""
    from radius_policy.enforcement.core import Happening, Tell, step
    from radius_policy.enforcement.table import Happens
    from radius_policy.enforcement.telling import event_of
    from radius_policy.nas import profile

    gone = Happening(Happens.NO_WAY, text="no_profile: its NAS was removed")
    done = step(order, gone, now, profile.load("generic"))
    if done.order == order:
        return
    tx.put(done.order)
    tx.note(order.tenant, "order", order.id)
    for tell in done.commands:
        if isinstance(tell, Tell):
            event = event_of(tell, done.order, tx, nas, uuid.uuid4().hex, at=now)
            tx.put(event)
            tx.note(order.tenant, "event", event.id)


def all_nas(tx: Reading, tenant: TenantId) -> list[Nas]:
    """All of them, by id."""
    return sorted(tx.find(Nas, tenant=tenant), key=lambda nas: nas.nas_id)


def find_nas(tx: Reading, tenant: TenantId, nas_id: str) -> Nas:
    """The one of this id. Raises NotFound with the nearest known one."""
    nas = tx.get(Nas, tenant, nas_id)
    if nas is None:
        from difflib import get_close_matches

        near = get_close_matches(nas_id, [one.nas_id for one in tx.find(Nas, tenant=tenant)], 1)
        raise NotFound(f'there is no NAS "{nas_id}"' + (f'; did you mean "{near[0]}"?' if near else ""))
    return nas


def whole_view(tx: Reading, nas: Nas) -> dict[str, Any]:
    """What is known of it: its profile with the evidence, who is connected there, which moves are under way."""
    from radius_policy.nas import profile

    known = profile.load(nas.profile)
    present = tx.find(Session, tenant=nas.tenant, nas_id=nas.nas_id, ended=None)
    moving = [order for order in tx.find(Order, tenant=nas.tenant, state=_MOVING) if order.nas_id == nas.nas_id]
    return shown(nas) | {
        "methods": [
            {"kind": str(each.kind), "evidence": str(each.evidence), "tries": each.tries} for each in known.methods
        ],
        "sessions": [
            {
                "port": session.port,
                "mac": session.mac,
                "vlan": session.vlan,
                "access": str(session.access) if session.access else None,
                "updated": session.updated,
            }
            for session in sorted(present, key=lambda each: (each.port, each.mac))
        ],
        "orders": [_named(tx, order) for order in moving],
    }


def shown(nas: Nas) -> dict[str, Any]:
    """A NAS as plain data without its secrets."""
    return {key: value for key, value in asdict(nas).items() if "secret" not in key and key != "tenant"}


def _check(nas: Nas) -> None:
    from radius_policy.nas import profile

    if not _NAME.fullmatch(nas.nas_id):
        raise Refused(f'"{nas.nas_id}" is no NAS id: letters, digits and ._- only, at most 64')
    for name, address in (("address", nas.address), ("CoA address", nas.coa_address)):
        if name == "CoA address" and not address:
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise Refused(f'the {name} "{address}" is no IP address; a NAS is known by its source address') from error
    try:
        profile.load(nas.profile)
    except profile.ProfileError as error:
        raise Refused(f"{error}; `--profile generic` fits most") from error
    if len(nas.secret) < MIN_SECRET:
        raise Refused(
            f"the shared secret has at least {MIN_SECRET} characters: guessing it lets anybody on the network speak for the NAS"
        )
    if nas.coa_port is not None and not 1 <= nas.coa_port <= 65535:
        raise Refused(f"the CoA port {nas.coa_port} is none; 3799 is usual")
