"""Who may do what, where."""

import pytest

from api.auth.roles import Forbidden, Identity, Role

EVERYWHERE = {role: Identity(1, "x", role) for role in Role}
BRANCH = {role: Identity(1, "x", role, ("branch",)) for role in Role}


@pytest.mark.parametrize("has", Role)
@pytest.mark.parametrize("needs", Role)
def test_each_role_may_do_what_the_ones_before_it_may(has: Role, needs: Role) -> None:
    enough = tuple(Role).index(has) >= tuple(Role).index(needs)
    assert EVERYWHERE[has].may(needs) is enough
    assert EVERYWHERE[has].may(needs, "any") is enough
    assert BRANCH[has].may(needs, "branch") is enough
    assert BRANCH[has].may(needs, "main") is False
    assert BRANCH[has].may(needs) is False, "the whole tenant is more than a site"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Forbidden, match="role admin; x is viewer"):
        EVERYWHERE[Role.VIEWER].require(Role.ADMIN)
    with pytest.raises(Forbidden, match="site main; x has them for branch"):
        BRANCH[Role.ADMIN].require(Role.OPERATOR, "main")
    with pytest.raises(Forbidden, match="change your one-time password"):
        Identity(1, "x", Role.ADMIN, must_change=True).require(Role.VIEWER)


def test_a_site_sees_its_own() -> None:
    assert EVERYWHERE[Role.VIEWER].sees("main")
    assert BRANCH[Role.VIEWER].sees("branch")
    assert not BRANCH[Role.VIEWER].sees("main")
