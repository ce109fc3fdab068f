"""Deciding, pausing, passwords: done by the right person, with a reason, and refused with a sentence otherwise."""

from radius_policy.model import Access, AuditLine, HostState, ListEntry, PostureReason, Setting

from .conftest import NOW, Console, fleet


def entries(console: Console) -> list[ListEntry]:
    found: list[ListEntry] = console.store.reading().find(ListEntry, tenant=fleet.T)
    return found


def state(console: Console) -> HostState:
    found = console.store.reading().get(HostState, fleet.T, "host-00001")
    assert found is not None
    return found


def test_an_allow_says_who_why_and_until_when_and_brings_the_host_back(console: Console, unknown: str) -> None:
    console.log_in()
    answer = console.post(f"executables/{unknown}/allow", why="new label printer", days="30", ticket="T-7")
    assert answer.headers["location"] == f"/console/executables/{unknown}"
    [entry] = entries(console)
    assert (entry.action, entry.author, entry.why, entry.ticket) == ("allow", "otto", "new label printer", "T-7")
    assert entry.expires == NOW + 30 * 86_400_000_000
    assert state(console).access is Access.PRODUCTION
    assert console.store.reading().find(PostureReason, tenant=fleet.T) == []
    assert [line.what for line in console.store.reading().find(AuditLine, tenant=fleet.T)] == ["allow.add"]


def test_a_deny_makes_who_ran_it_compromised(console: Console, unknown: str) -> None:
    console.log_in()
    console.post(f"executables/{unknown}/deny", why="malware")
    assert state(console).posture == "compromised"


def test_a_decision_without_a_reason_is_asked_for_one_and_what_was_typed_stays(console: Console, unknown: str) -> None:
    console.log_in()
    answer = console.post(f"executables/{unknown}/allow", why="  ", ticket="T-8")
    assert answer.status_code == 409
    assert "Say why, in a few words" in answer.text
    assert 'value="T-8"' in answer.text
    assert entries(console) == []


def test_an_expiry_that_is_no_number_of_days_is_refused(console: Console, unknown: str) -> None:
    console.log_in()
    for days in ("soon", "0", "-1", "99999"):
        assert "number of days" in console.post(f"executables/{unknown}/allow", why="x", days=days).text
    assert entries(console) == []


def test_deciding_twice_says_that_it_was_decided(console: Console, unknown: str) -> None:
    console.log_in()
    console.post(f"executables/{unknown}/deny", why="malware")
    assert "on the deny list for fleet already" in console.post(f"executables/{unknown}/deny", why="malware").text


def test_an_entry_is_taken_off_the_list_again(console: Console, unknown: str) -> None:
    console.log_in()
    console.post(f"executables/{unknown}/allow", why="x")
    [entry] = entries(console)
    assert console.post(f"lists/allow/remove/{entry.id}").status_code == 303
    assert entries(console) == []


def test_a_host_is_quarantined_and_released_with_a_reason(console: Console) -> None:
    console.log_in()
    assert "Say why" in console.post("hosts/host-00001/quarantine").text
    console.post("hosts/host-00001/quarantine", why="stolen laptop")
    assert state(console).access is Access.REMEDIATION
    console.post("hosts/host-00001/release", why="found again")
    assert state(console).access is Access.PRODUCTION


def test_pausing_is_shown_and_undone(console: Console) -> None:
    console.log_in()
    console.post("pause", paused="yes", why="core switch", back="/console/events")
    assert "core switch" in console.get("").text
    console.post("pause", paused="no", why="done", back="https://evil.example/")
    setting = console.store.reading().get(Setting, fleet.T, "pause")
    assert setting is not None
    assert setting.value["paused"] is False


def test_a_one_time_password_leads_to_an_own_one(console: Console) -> None:
    assert console.log_in("neu").headers["location"] == "/console/password"
    assert console.get("hosts").headers["location"] == "/console/password"
    assert console.post("hosts/host-00001/release", why="x").headers["location"] == "/console/password"
    new = "a longer one of my own"
    assert "differ" in console.post("password", old=fleet.PASSWORD, new=new, again=new + "!").text
    assert "at least 12" in console.post("password", old=fleet.PASSWORD, new="short", again="short").text
    assert "present password is wrong" in console.post("password", old="not this one", new=new, again=new).text
    assert console.post("password", old=fleet.PASSWORD, new=new, again=new).headers["location"] == "/console/"
    assert console.get("hosts").status_code == 200


def test_logging_out_ends_the_login_on_the_server_too(console: Console) -> None:
    console.log_in()
    cookie = dict(console.client.cookies)
    console.post("logout")
    console.client.cookies.update(cookie)
    assert console.get("").status_code == 303


def test_a_field_that_is_too_long_is_refused_with_a_sentence(console: Console, unknown: str) -> None:
    console.log_in()
    answer = console.post(f"executables/{unknown}/allow", why="x" * 3000)
    assert answer.status_code == 409
    assert "too long" in answer.text
