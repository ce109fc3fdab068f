"""The console's page of scripts: what is set up, and how runs ended, hostile output included."""

from radius_policy.model import EventKind, HostId, ScriptRun, Setting

from .conftest import NOW, Console, fleet

VALUE = {"scripts": [{"name": "shut-port", "run": ["pratique:shut_port"], "events": ["moved"]}]}


def ran(console: Console, value: object = VALUE) -> None:
    runs = [
        ScriptRun(
            fleet.T, f"e{number}.shut-port", "shut-port", f"e{number}", HostId("host-00001"), kind, state, NOW + number,
            0, number, exit_code=code, output=output,
        )
        for number, kind, state, code, output in (
            (1, EventKind.MOVED, "done", 0, "port2 of sw1 is shut"),
            (2, EventKind.RELEASED, "failed", 1, "<script>alert(1)</script>"),
        )
    ]  # fmt: skip
    with console.store.transaction() as tx:
        tx.put(Setting(fleet.T, "scripts", value, 1, "test", NOW), *runs)  # type: ignore[arg-type]


def test_scripts_and_how_their_runs_ended(console: Console) -> None:
    ran(console)
    console.log_in()
    page = console.get("scripts").text
    assert "pratique:shut_port" in page
    assert page.index("&lt;script&gt;alert(1)") < page.index("port2 of sw1 is shut"), "the newest first, and as text"
    assert "exit 1" in page
    one = console.get("scripts?event=moved").text
    assert "port2 of sw1 is shut" in one
    assert "alert(1)" not in one


def test_without_scripts_and_with_a_setting_that_cannot_be_used_the_page_says_so(console: Console) -> None:
    console.log_in()
    page = console.get("scripts").text
    assert "No script is set up." in page
    assert "No script has run." in page
    ran(console, {"scripts": [{"name": "x"}]})
    assert "No script runs:" in console.get("scripts").text
