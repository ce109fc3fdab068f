"""The Class attribute: what an Accept gave, proved by us alone."""

import pytest

from radius_policy.model import Access, Mac, TenantId
from radius_policy.radius.mark import SIZE, Mark, read_mark, write_mark

KEY, MAC, TENANT = b"k" * 32, Mac("02:00:00:00:00:10"), TenantId(1)


@pytest.mark.parametrize("access", list(Access))
def test_a_mark_says_what_was_given(access: Access) -> None:
    written = write_mark(KEY, TENANT, MAC, 2**40, access)
    assert len(written) == SIZE <= 32
    assert read_mark(KEY, TENANT, MAC, [written]) == Mark(2**40, access)


def test_it_is_found_beside_another_servers_class() -> None:
    written = write_mark(KEY, TENANT, MAC, 3, Access.REMEDIATION)
    assert read_mark(KEY, TENANT, MAC, [b"other", bytes(30), written]) == Mark(3, Access.REMEDIATION)


def test_nobody_else_can_make_or_reuse_one() -> None:
    written = write_mark(KEY, TENANT, MAC, 3, Access.REMEDIATION)
    assert read_mark(b"x" * 32, TENANT, MAC, [written]) is None, "another key"
    assert read_mark(KEY, TenantId(2), MAC, [written]) is None, "another tenant"
    assert read_mark(KEY, TENANT, Mac("02:00:00:00:00:11"), [written]) is None, "another endpoint"
    for place in range(SIZE):
        changed = bytearray(written)
        changed[place] ^= 1
        assert read_mark(KEY, TENANT, MAC, [bytes(changed)]) is None
    assert read_mark(KEY, TENANT, MAC, [written[:-1]]) is None
    assert read_mark(KEY, TENANT, MAC, []) is None
