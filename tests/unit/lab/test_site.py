"""The lab's wiring: what does not come about is told with the reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import site as wiring
from lab.site import NotInTime, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, "table")
    yield made
    made.close()


def test_a_service_that_does_not_become_ready_is_told_with_the_end_of_its_log(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "READY_S", 0.5)
    monkeypatch.setattr(wiring, "pratique", lambda *words: ["sh", "-c", "echo the database is locked; sleep 30"])
    with pytest.raises(NotInTime) as failure:
        site.serve()
    assert "waited 0.5 s for the policy service to be ready: it has made no certificate" in str(failure.value)
    assert str(failure.value).endswith("the database is locked")


def test_what_is_waited_for_is_given_as_soon_as_it_is_there(site: Site) -> None:
    answers = iter([None, 0, "", "here"])
    assert site.wait("an answer", lambda: next(answers), 5, 0.001) == "here"
    with pytest.raises(NotInTime, match="waited 0 s for rain"):
        site.wait("rain", lambda: None, 0)
