"""The page of reports: asked for in words, shown with its picture, and acted on by whoever may."""

import re

from .conftest import NOW, Console, fleet

SATURDAY = "reports?kind=window&from=2026-11-23T08:30&to=2026-11-23T08:50"


def hosts_offered(text: str) -> str:
    found = re.search(r'name="hosts" value="([^"]*)"', text)
    return found[1] if found else ""


def test_the_page_asks_first(console: Console) -> None:
    console.log_in()
    text = console.get("reports").text
    assert "Show the day" in text
    assert "Show the window" in text
    assert "Show its spread" in text
    assert 'href="/console/reports" aria-current="page"' in text


def test_a_day_is_shown_with_its_picture_and_its_downloads(console: Console, unknown: str) -> None:
    console.log_in()
    text = console.get("reports?kind=day&day=2026-11-23").text
    assert "First executions on 2026-11-23" in text
    assert unknown[:12] in text
    assert '<svg class="picture"' in text
    for format_ in ("html", "csv", "json"):
        (link,) = re.findall(rf'href="(/v1/reports/day/2026-11-23\?[^"]*format={format_})"', text)
        answer = console.client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200, link
        assert unknown in answer.text


def test_a_window_offers_to_quarantine_exactly_these(console: Console, unknown: str) -> None:
    console.log_in()
    text = console.get(SATURDAY).text
    assert "Quarantine exactly this host" in text
    assert hosts_offered(text) == "host-00001"


def test_quarantine_needs_a_reason_and_the_forms_own_value(console: Console, unknown: str) -> None:
    console.log_in()
    assert console.post("reports/quarantine", csrf=False, hosts="host-00001", why="x").status_code == 403
    assert console.post("reports/quarantine", hosts="host-00001", why="").status_code == 409


def test_quarantine_says_what_it_did_and_shows_the_window_again(console: Console, unknown: str) -> None:
    console.log_in()
    given = {"from": "2026-11-23T08:30", "to": "2026-11-23T08:50", "site": ""}
    text = console.post("reports/quarantine", hosts="host-00001,nobody", why="saturday", **given).text
    assert "1 host quarantined" in text
    assert "nobody" in text
    assert "Running and not allowed" in text
    with console.store.transaction() as tx:
        state = tx.get(fleet.HostState, 1, "host-00001")
    assert state is not None
    assert state.ordered == "quarantine"


def test_a_viewer_may_look_and_not_act(console: Console, unknown: str) -> None:
    console.log_in("vera")
    text = console.get(SATURDAY).text
    assert unknown[:12] in text
    assert "Quarantine exactly" not in text
    assert "1 host quarantined" not in console.post("reports/quarantine", hosts="host-00001", why="x").text


def test_what_makes_no_sense_is_said_in_a_sentence(console: Console) -> None:
    console.log_in()
    for asked in ("kind=day&day=yesterday", "kind=window&from=soon&to=later", f"kind=spread&hash={'f' * 64}"):
        answer = console.get(f"reports?{asked}")
        assert answer.status_code == 422, asked
        assert 'role="alert"' in answer.text


def test_names_of_endpoints_are_never_markup(console: Console) -> None:
    with console.store.transaction() as tx:
        fleet.hostile(tx, NOW)
    console.log_in()
    for asked in ("kind=day&day=2026-11-23", "kind=window&from=2026-11-23T00:00&to=2026-11-24T00:00"):
        text = console.get(f"reports?{asked}").text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\u202e" not in text
