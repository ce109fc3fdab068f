"""People who may log in. Passwords are hashed before the transaction: hashing takes 50 ms on purpose."""

import re
from dataclasses import replace

from api import audit
from api.auth.roles import Identity, Role
from api.errors import Conflict, NotFound, Refused
from radius_policy.model import Login, Micros, TenantId, User
from radius_policy.store.interface import Reading, Tx

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def add_user(
    tx: Tx,
    who: Identity,
    name: str,
    role: Role,
    *,
    password: str,
    one_time: bool,
    sites: tuple[str, ...] = (),
    now: Micros,
) -> User:
    """A new person. `password` is an argon2 hash (`api.auth.passwords.hashed`). Raises Refused or Conflict."""
    who.require(Role.ADMIN)
    if not _NAME.fullmatch(name):
        raise Refused(
            f'"{name}" is no user name: letters, digits and ._@- only, at most 64, beginning with a letter or digit'
        )
    if tx.get(User, who.tenant, name):
        raise Conflict(f'there is a user "{name}" already; `pratique user reset {name}` gives a new password')
    user = User(who.tenant, name, role, password, sites, one_time, created=now)
    tx.put(user)
    detail = {"role": str(role), "sites": list(sites)}
    audit.append(tx, who.tenant, at=now, who=who.name, what="user.add", subject=name, detail=detail)
    return user


def reset_user(tx: Tx, who: Identity, name: str, *, password: str, one_time: bool = True, now: Micros) -> User:
    """A new password; all logins of that person end, a disabled one may log in again. Raises NotFound."""
    who.require(Role.ADMIN)
    user = replace(_user(tx, who.tenant, name), password=password, one_time=one_time, disabled=False)
    tx.put(user)
    tx.delete(Login, tenant=who.tenant, user=name)
    audit.append(tx, who.tenant, at=now, who=who.name, what="user.reset", subject=name)
    return user


def disable_user(tx: Tx, who: Identity, name: str, *, now: Micros) -> User:
    """That person can't log in any more and is logged out. The last admin can't be disabled. Raises NotFound, Conflict."""
    who.require(Role.ADMIN)
    user = _user(tx, who.tenant, name)
    others = [u for u in tx.find(User, tenant=who.tenant) if u.name != name and u.role == Role.ADMIN and not u.disabled]
    if user.role == Role.ADMIN and not user.disabled and not others:
        raise Conflict(f'"{name}" is the last admin; add another one first')
    user = replace(user, disabled=True)
    tx.put(user)
    tx.delete(Login, tenant=who.tenant, user=name)
    audit.append(tx, who.tenant, at=now, who=who.name, what="user.disable", subject=name)
    return user


def users(tx: Reading, tenant: TenantId) -> list[User]:
    """All people, by name."""
    return sorted(tx.find(User, tenant=tenant), key=lambda user: user.name)


def _user(tx: Reading, tenant: TenantId, name: str) -> User:
    user = tx.get(User, tenant, name)
    if user is None:
        raise NotFound(f'there is no user "{name}"')
    return user
