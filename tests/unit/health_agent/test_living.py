"""Which reported starts have not ended."""

from health_agent.living import Alive, Living
from tests.unit.health_agent.makers import BAD, OTHER

ONE = Alive(1, "execution-1", (10, 100, BAD))
AGAIN = Alive(2, "execution-2", (10, 100, BAD))
UNREADABLE = Alive(3, "execution-3", (11, 100, None))


def living(*alive: Alive) -> Living:
    made = Living()
    for one in alive:
        made.add(one)
    return made


def test_a_start_is_found_by_token_process_and_content_until_it_is_removed() -> None:
    here = living(ONE, UNREADABLE)
    assert len(here) == 2
    assert (10, 100, BAD) in here
    assert (10, 101, BAD) not in here
    assert here.remove(1) is ONE
    assert here.remove(1) is None
    assert (10, 100, BAD) not in here
    assert here.remove_content(BAD) == []
    assert here.remove(3) is UNREADABLE
    assert len(here) == 0


def test_a_content_is_removed_with_all_its_starts_and_no_others() -> None:
    here = living(ONE, Alive(4, "execution-4", (12, 7, OTHER)), AGAIN)
    assert here.remove_content(BAD) == [ONE, AGAIN]
    assert len(here) == 1
    assert here.remove_content(OTHER)[0].token == 4


def test_the_first_of_two_starts_in_one_process_does_not_hide_the_second() -> None:
    here = living(ONE, AGAIN)
    here.remove(1)
    assert (10, 100, BAD) in here
    here.remove(2)
    assert (10, 100, BAD) not in here
