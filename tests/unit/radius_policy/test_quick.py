"""Records made quickly are the same records."""

from dataclasses import FrozenInstanceError, dataclass, fields

import pytest

from radius_policy.model import DEFAULT_TENANT, Execution, GraceSlot, HostExecutable, HostId, ParentRef
from radius_policy.quick import maker
from tests.world import sha

USUAL = Execution(
    DEFAULT_TENANT, "start-1", HostId("pc"), sha("N"), "/n", 1, 2, 3, user="ann", parents=(ParentRef("/p"),)
)


def test_a_record_made_quickly_is_equal_frozen_and_of_its_kind() -> None:
    quick = maker(Execution)(
        DEFAULT_TENANT, "start-1", HostId("pc"), sha("N"), "/n", 1, 2, 3, user="ann", parents=(ParentRef("/p"),)
    )
    assert type(quick) is Execution
    assert (quick, hash(quick)) == (USUAL, hash(USUAL))
    with pytest.raises(FrozenInstanceError):
        quick.user = "bob"  # type: ignore[misc]


def test_every_default_is_the_usual_one() -> None:
    made = maker(GraceSlot)(*range(len(fields(GraceSlot))))
    assert made == GraceSlot(*range(len(fields(GraceSlot))))  # type: ignore[arg-type]
    known = maker(HostExecutable)(DEFAULT_TENANT, HostId("pc"), sha("N"), 1, 2)
    assert known == HostExecutable(DEFAULT_TENANT, HostId("pc"), sha("N"), 1, 2)
    other = maker(HostExecutable)(DEFAULT_TENANT, HostId("pc"), sha("N"), 1, 2)
    assert known.facts is not other.facts


def test_a_missing_argument_is_refused_as_ever() -> None:
    with pytest.raises(TypeError, match="missing"):
        maker(GraceSlot)(1)


def test_what_it_cannot_make_the_same_it_does_not_make() -> None:
    @dataclass(frozen=True)
    class Open:
        a: int

    @dataclass(frozen=True, slots=True)
    class Checked:
        a: int

        def __post_init__(self) -> None:
            raise ValueError

    for kind in (Open, Checked, int):
        with pytest.raises(TypeError, match="no dataclass with slots"):
            maker(kind)
