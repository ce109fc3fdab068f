"""Who may look, who may act, and that nothing leads elsewhere."""

import pytest

from api.console.guard import local_path
from api.console.render import POLICY
from radius_policy.model import ListEntry, Setting

from .conftest import Console, fleet

PAGES = ("", "hosts", "hosts/host-00001", "executables", "events", "lists", "lists/deny", "live", "nonsense")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_without_a_login_leads_to_the_login_and_back(console: Console, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 303
    back = f"?next=/console/{path}" if path else ""
    assert answer.headers["location"] == f"/console/login{back}"


def test_the_root_leads_to_the_console(console: Console) -> None:
    assert console.client.get("/").headers["location"] == "/console/"


def test_every_answer_forbids_inline_scripts_framing_and_caching(console: Console) -> None:
    console.log_in()
    for path in ("", "login", "nonsense", "hosts/none", "static/console.css"):
        headers = console.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
    assert console.get("").headers["cache-control"] == "no-store"


def test_no_page_contains_inline_script_or_style(console: Console, unknown: str) -> None:
    console.log_in()
    for path in ("", "hosts", "hosts/host-00001", f"executables/{unknown}", f"executables/{unknown}/deny", "lists"):
        text = console.get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert text.count("<script") == text.count('<script type="module" src="/console/static/live.js">') == 1


def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(console: Console) -> None:
    cookie = console.log_in().headers["set-cookie"]
    assert cookie.startswith("__Host-pratique=")
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/v1/hosts",
        "/console/../v1",
        "/console//evil",
        "/console/\\evil",
        "",
    ],
)
def test_a_login_leads_to_no_page_but_the_consoles(wanted: str) -> None:
    assert local_path(wanted) in ("/console/", "/console/../v1")
    assert "evil" not in local_path(wanted)


def test_a_form_without_the_csrf_value_changes_nothing(console: Console, unknown: str) -> None:
    console.log_in()
    for path in (f"executables/{unknown}/allow", "hosts/host-00001/release", "pause", "logout", "password"):
        answer = console.post(path, csrf=False, why="x", paused="yes")
        assert answer.status_code == 403, path
        assert "reload the page" in answer.text
    assert console.store.reading().find(ListEntry, tenant=fleet.T) == []
    assert console.store.reading().get(Setting, fleet.T, "pause") is None
    assert console.get("").status_code == 200, "still logged in"


def test_the_csrf_value_of_another_login_does_not_count(console: Console, unknown: str) -> None:
    console.log_in("anna")
    other = console.csrf
    console.client.cookies.clear()
    console.log_in("otto")
    assert console.post(f"executables/{unknown}/deny", csrf=False, why="x").status_code == 403
    answer = console.client.post(f"/console/executables/{unknown}/deny", data={"csrf": other, "why": "x"})
    assert answer.status_code == 403


def test_a_login_form_of_another_site_is_refused(console: Console) -> None:
    data = {"name": "otto", "password": fleet.PASSWORD}
    answer = console.client.post("/console/login", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 409
    assert "set-cookie" not in answer.headers


def test_a_visit_from_web_mail_is_asked_again_so_that_the_browser_sends_its_cookie(console: Console) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = console.get("hosts", **headers)
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/console/hosts"' in answer.text


@pytest.mark.parametrize("deed", ["allow", "deny"])
def test_a_viewer_may_not_decide_even_by_a_form_of_their_own(console: Console, unknown: str, deed: str) -> None:
    console.log_in("vera")
    answer = console.post(f"executables/{unknown}/{deed}", why="because")
    assert "needs the role operator" in answer.text
    assert console.store.reading().find(ListEntry, tenant=fleet.T) == []


def test_wrong_logins_are_told_alike_and_slowed(console: Console) -> None:
    said = set()
    for name in ("otto", "nobody", "otto", "nobody", "otto", "otto", "otto"):
        data = {"name": name, "password": "wrong password", "next": ""}
        answer = console.client.post("/console/login", data=data)
        if answer.status_code == 401:
            said.add(answer.text.split('role="alert"')[1].split("</p>")[0])
    assert len(said) == 1
    last = console.client.post("/console/login", data={"name": "otto", "password": fleet.PASSWORD})
    assert last.status_code == 429
    assert "try again in" in last.text


def test_a_defect_is_a_sentence_and_no_traceback(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.log_in()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api.console.pages.event_lines", broken)
    answer = console.get("events")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "its log" not in answer.text or "log has the reason" in answer.text
