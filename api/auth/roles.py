"""Roles and what they may do: viewer sees, operator acts on hosts, admin decides for everybody.

Guarantees: an `Identity` without sites counts for the whole tenant, one with sites for those alone; a check that
fails names the role or site that is missing. Nothing here asks the store.
"""

from dataclasses import dataclass
from enum import StrEnum

from radius_policy.model import TenantId


class Role(StrEnum):
    """In rising order: each may do what the one before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return tuple(Role).index(self)


class Forbidden(Exception):
    """The identity may not do this; the message says what it would need."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who was authenticated. `via` is `cookie`, `token` or `cli`; `csrf` belongs to a cookie.

    `must_change`: logged in with a one-time password, so nothing but changing it is allowed.
    """

    tenant: TenantId
    name: str
    role: Role
    sites: tuple[str, ...] = ()
    via: str = "cli"
    csrf: str = ""
    must_change: bool = False

    def may(self, role: Role, site: str | None = None) -> bool:
        """Whether this identity has `role` for `site` (None = for the whole tenant)."""
        if self.must_change or self.role.rank < role.rank:
            return False
        return not self.sites or (site is not None and site in self.sites)

    def sees(self, site: str) -> bool:
        """Whether what belongs to `site` is shown to this identity."""
        return not self.sites or site in self.sites

    def require(self, role: Role, site: str | None = None) -> None:
        """Raises Forbidden unless `may`."""
        if self.must_change:
            raise Forbidden("change your one-time password first")
        if self.role.rank < role.rank:
            raise Forbidden(f"this needs the role {role}; {self.name} is {self.role}")
        if not self.may(role, site):
            wanted = f"the site {site}" if site else "all sites"
            raise Forbidden(f"this needs rights for {wanted}; {self.name} has them for {', '.join(self.sites)}")


def local(login: str, tenant: TenantId) -> Identity:
    """Who uses the command on the service's own machine: whoever can read the database may do everything."""
    return Identity(tenant, f"cli:{login}", Role.ADMIN, via="cli")
