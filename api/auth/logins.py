"""Logging in: by name and password (console cookie) or by bearer token (REST API).

Guarantees: only hashes of cookies and tokens are kept; a wrong name and a wrong password are told alike and take
alike; failures are slowed by `throttle.py`. A login ends after `LIFE`, when its person is disabled, or by logging out.
Verifying a password happens in a thread, outside of any transaction.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from api.auth import passwords
from api.auth.roles import Identity, Role
from api.auth.throttle import Throttle
from radius_policy.model import SECOND, ApiToken, Login, Micros, TenantId, User
from radius_policy.store.interface import Reading, Store, Tx

LIFE: Final = 12 * 3600 * SECOND
_USED_EVERY: Final = 60 * SECOND
"""`last_used` of a token is written at most this often."""


class WrongLogin(Exception):
    """Name or password are wrong, deliberately without saying which."""


@dataclass(frozen=True, slots=True)
class TooMany(Exception):
    """Too many failures; try again after `seconds`."""

    seconds: int

    def __str__(self) -> str:
        return f"too many failed logins; try again in {self.seconds} seconds"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """`cookie` is the secret that the browser keeps; it stands nowhere else."""

    cookie: str
    identity: Identity


class Logins:
    """Logins of one tenant. `counted` is called with the outcome (`done`, `wrong`, `throttled`) of each attempt."""

    def __init__(
        self, store: Store, tenant: TenantId, clock: Callable[[], Micros], counted: Callable[[str], None]
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock
        self._counted = counted
        self._throttle = Throttle()

    async def log_in(self, name: str, password: str, address: str) -> LoggedIn:
        """Raises WrongLogin or TooMany. `address` is the client's, for the throttle."""
        user = await self._check(name, password, address)
        cookie = passwords.secret()
        now = self._clock()
        login = Login(self._tenant, passwords.digest(cookie), name, now, now + LIFE, passwords.secret())
        await self._store.write(lambda tx: _begin(tx, login))
        return LoggedIn(cookie, _identity(user, login))

    async def log_out(self, cookie: str) -> None:
        """Forget the login."""
        gone = passwords.digest(cookie)
        await self._store.write(lambda tx: tx.delete(Login, tenant=self._tenant, hash=gone))

    async def change_password(self, name: str, old: str, new: str, address: str) -> None:
        """Set a new password and end the person's other logins. Raises WrongLogin, TooMany or WeakPassword."""
        if old == new:
            raise passwords.WeakPassword("the new password must differ from the old one")
        await self._check(name, old, address)
        kept = await asyncio.to_thread(passwords.hashed, new, name=name)

        def work(tx: Tx) -> None:
            user = tx.get(User, self._tenant, name)
            if user is None or user.disabled:
                raise WrongLogin
            tx.put(replace(user, password=kept, one_time=False))
            tx.delete(Login, tenant=self._tenant, user=name)

        await self._store.write(work)

    async def of_cookie(self, cookie: str) -> Identity | None:
        """Who this cookie logs in, or None."""
        kept, now = passwords.digest(cookie), self._clock()

        def look(tx: Reading) -> Identity | None:
            login = tx.get(Login, self._tenant, kept)
            if login is None or login.expires <= now:
                return None
            user = tx.get(User, self._tenant, login.user)
            return _identity(user, login) if user and not user.disabled else None

        return await self._store.read(look)

    async def of_bearer(self, token: str) -> Identity | None:
        """Who this API token stands for, or None."""
        kept, now = passwords.digest(token), self._clock()
        found = await self._store.read(lambda tx: tx.get(ApiToken, self._tenant, kept))
        if found is None or (found.expires is not None and found.expires <= now):
            return None
        if found.last_used is None or now - found.last_used > _USED_EVERY:
            await self._store.write(lambda tx: _used(tx, self._tenant, kept, now))
        return Identity(self._tenant, f"token:{found.name}", Role(found.role), via="token")

    async def _check(self, name: str, password: str, address: str) -> User:
        now = self._clock()
        if seconds := self._throttle.wait(name, address, now):
            self._counted("throttled")
            raise TooMany(seconds)
        user = await self._store.read(lambda tx: tx.get(User, self._tenant, name))
        known = user if user and not user.disabled else None
        right = await asyncio.to_thread(passwords.fits, known.password if known else None, password)
        if known is None or not right:
            self._throttle.failed(name, address, now)
            self._counted("wrong")
            raise WrongLogin("name or password is wrong")
        self._throttle.succeeded(name, address)
        self._counted("done")
        return known


def _begin(tx: Tx, login: Login) -> None:
    tx.delete(Login, tenant=login.tenant, hash=[old.hash for old in _ended(tx, login)])
    tx.put(login)


def _ended(tx: Reading, login: Login) -> list[Login]:
    return [old for old in tx.find(Login, tenant=login.tenant, user=login.user) if old.expires <= login.created]


def _used(tx: Tx, tenant: TenantId, kept: str, now: Micros) -> None:
    token = tx.get(ApiToken, tenant, kept)
    if token is not None:
        tx.put(replace(token, last_used=now))


def _identity(user: User, login: Login) -> Identity:
    return Identity(user.tenant, user.name, Role(user.role), user.sites, "cookie", login.csrf, user.one_time)
