"""The judgement cases by name: real complaints about other products, as stories on the judgement alone.

What needs an agent (holding, facts that come late, evidence refused), a switch or a mail server is told by other tests;
here each case is told as far as judgement decides it. Unless a case says otherwise: mode `enforce`; breaker 3 hosts per
hash, 10 per site in 10 minutes; a grace rule covers 50 hosts for 7 days.
"""

import re
from dataclasses import replace

import pytest

from radius_policy import judgement
from radius_policy.grace import RuleSet, parse
from radius_policy.grace.builtin import text
from radius_policy.held import Held
from radius_policy.judgement.trips import ran_on, trips, would_stay
from radius_policy.model import (
    Access,
    Execution,
    Host,
    HostExecutable,
    HostId,
    ListEntry,
    ListKind,
    ParentRef,
    Pass,
    Posture,
    VerdictWord,
)
from tests.world import DAY, HOUR, MINUTE, START, T, World, sha

HEALTHY, PROBLEM, COMPROMISED = Posture.HEALTHY, Posture.POTENTIAL_PROBLEM, Posture.COMPROMISED
ALLOWED, GRACED, UNKNOWN, DENIED = VerdictWord.ALLOWED, VerdictWord.GRACED, VerdictWord.UNKNOWN, VerdictWord.DENIED


def fifty_hosts_seven_days() -> RuleSet:
    """The shipped rules with the limits of the cases."""
    return parse(
        re.sub(r"grace = \{ hours = \d+, max_hosts = (?!1 )\d+ \}", "grace = { hours = 168, max_hosts = 50 }", text())
    )


@pytest.fixture
def world() -> World:
    return World(rules=fifty_hosts_seven_days())


def app(world: World, version: str, user: str = "ann", app_name: str = "chat") -> str:
    return rf"C:\Users\{user}\AppData\Local\{app_name}\app-{version}\{app_name}.exe"


# --- harmless work must not be quarantined ------------------------------------------------------------------------


def test_J01_a_program_runs_milliseconds_after_it_was_compiled(world: World) -> None:
    linker = world.inventory("/usr/bin/ld", role="compiler")
    world.host("D1", role="build"), world.host("D2")
    there = world.start("D1", "fresh", "/home/ann/src/tool", writer=linker, kind="elf")
    assert (there.verdict.word, there.verdict.reason.ref, there.moved) == (GRACED, "build-machine", False)
    assert world.posture("D1") is HEALTHY
    elsewhere = world.start("D2", "fresh", "/home/bob/tool", kind="elf")
    assert (elsewhere.verdict.word, elsewhere.moved) == (UNKNOWN, True)


def test_J02_install_scripts_run_before_the_package_database_is_written(world: World) -> None:
    dpkg = world.inventory("/usr/bin/dpkg", role="package_manager")
    servers = world.hosts(20, "srv")
    for server in servers:
        helper = world.start(server, "helper", "/usr/lib/x/helper", writer=dpkg, in_transaction=True)
        assert (helper.verdict.word, helper.verdict.reason.ref) == (GRACED, "package-manager-installs")
        world.later(30 * MINUTE // 20)
        packaged = world.start(
            server, "other", "/usr/lib/x/other", provenance="package:apt:x@1", proven=True, writer=dpkg
        )
        assert (packaged.verdict.word, packaged.verdict.reason.level) == (ALLOWED, "provenance")
        unproven = world.start(
            server, "no-digest", "/usr/lib/x/p", provenance="package:apt:x@1", writer=dpkg, in_transaction=True
        )
        assert unproven.verdict.word is GRACED
    assert world.moved() == []


def test_J03_pip_writes_another_launcher_into_every_environment(world: World) -> None:
    pip = world.inventory("/usr/bin/python3", role="compiler")
    stub, package = world.inventory("/usr/lib/stub"), world.inventory("/usr/lib/package")
    world.hosts(60)
    made = [each.sha256 for each in (stub, package)]
    for n, host in enumerate(world.hosts(60, "venv")):
        decision = world.start(
            host, f"launcher {n}", f"/home/u{n}/venv/bin/pip", writer=pip, made_from=tuple(m for m in made if m)
        )
        assert (decision.verdict.word, decision.moved) == (ALLOWED, False)
    families = {each.family for each in _executables(world) if each.family}
    assert len(families) == 1
    browser = world.inventory("/usr/bin/firefox")
    world.host("X")
    look_alike = world.start("X", "launcher of another", "/home/x/venv/bin/pip", writer=browser)
    assert (look_alike.verdict.word, look_alike.moved) == (UNKNOWN, True)
    assert world.moved() == ["X"]


def _executables(world: World) -> list:  # type: ignore[type-arg]
    from radius_policy.model import Executable

    return world.store.reading().find(Executable, tenant=T)


def test_J04_native_images_follow_the_verdict_of_their_source(world: World) -> None:
    ngen = world.inventory(r"C:\Windows\Microsoft.NET\mscorsvw.exe", role="compiler", makes="native-image")
    assembly = world.inventory(r"C:\Program Files\Contoso\Forms.dll")
    folder = r"C:\Windows\assembly\NativeImages_v4.0.30319_64\Forms\{:08x}\Forms.ni.exe"
    for n, host in enumerate(world.hosts(200)):
        built = world.start(host, f"image {n}", folder.format(n), writer=ngen, made_from=(sha_of(assembly),))
        assert built.verdict.word is ALLOWED
    assert len({each.family for each in _executables(world) if each.family}) == 1
    world.host("B1")
    source = world.start("B1", "assembly B", r"C:\Users\b\Downloads\b.dll")
    image = world.start("B1", "image of B", folder.format(999), writer=ngen, made_from=(sha("assembly B"),))
    assert (source.verdict.word, image.verdict.word) == (UNKNOWN, UNKNOWN)
    assert world.moved() == ["B1"]
    assert len(world.events("moved")) == 1


def sha_of(ref: ParentRef):  # type: ignore[no-untyped-def]
    assert ref.sha256 is not None
    return ref.sha256


def test_J05_powershells_policy_probe_is_new_at_every_start(world: World) -> None:
    shell = world.inventory(r"C:\Windows\System32\WindowsPowerShell\powershell.exe", role="shell", makes="policy-probe")
    for n, host in enumerate(world.hosts(200)):
        probe = world.start(
            host, f"probe {n}", rf"C:\Users\u{n}\AppData\Local\Temp\__PSScriptPolicyTest_{n}.ps1",
            writer=shell, template="policy-probe", kind="script",
        )  # fmt: skip
        assert (probe.verdict.word, probe.alert) == (ALLOWED, False)
    outlook = world.inventory(r"C:\Program Files\Office\OUTLOOK.EXE")
    world.host("mail")
    fake = world.start(
        "mail", "fake", r"C:\Users\m\AppData\Local\Temp\__PSScriptPolicyTest_x.ps1", writer=outlook, kind="script"
    )
    assert (fake.verdict.word, fake.moved, fake.alert) == (UNKNOWN, True, True)


def test_J06_a_per_user_app_updates_into_a_new_folder(world: World) -> None:
    updater = world.inventory(r"C:\Users\ann\AppData\Local\chat\Update.exe", signer="Chat Inc", role="updater")
    world.inventory(app(world, "5.0"), signer="Chat Inc")
    for n, host in enumerate(world.hosts(30)):
        signed = world.start(
            host, "v5.1", app(world, "5.1", f"u{n}"), parent=updater, writer=updater, signer="Chat Inc", signer_state="valid"
        )  # fmt: skip
        assert (signed.verdict.word, signed.verdict.reason.ref) == (GRACED, "same-signer-new-version")
    mail = world.inventory(r"C:\Program Files\Office\OUTLOOK.EXE")
    world.host("Y")
    usb = world.start("Y", "v5.1", r"E:\chat.exe", parent=mail, signer="Chat Inc", signer_state="valid")
    assert (usb.verdict.word, usb.moved) == (UNKNOWN, True)
    assert world.moved() == ["Y"]


def test_J07_an_updater_whose_vendor_never_signs(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\Msg\Update.exe", role="updater", never_signed=True)
    six = world.hosts(6)
    for host in six:
        waiting = world.start(
            host, "V", r"C:\Program Files\Msg\msg.exe", parent=updater, writer=updater, signer_state="unsigned"
        )
        assert (waiting.verdict.word, waiting.held, waiting.moved) == (UNKNOWN, Held.REFUSE_AT_DEADLINE, False)
    assert world.moved() == []
    assert world.places("fleet") == set()
    assert len([event for event in world.loud() if event.kind == "held"]) == 1
    browser = world.inventory(r"C:\Program Files\Firefox\firefox.exe")
    world.host("W1")
    other = world.start("W1", "W", r"C:\Program Files\Msg\w.exe", writer=browser, signer_state="unsigned")
    assert other.moved
    world.allow("V")
    assert all(world.posture(host) is HEALTHY for host in six)


def test_J08_a_signed_app_unpacks_unsigned_modules(world: World) -> None:
    folder = r"C:\Users\{}\AppData\Local\signal"
    program = world.inventory(folder.format("ann") + r"\signal.exe", signer="Signal")
    pilots = world.hosts(2, "pilot", groups=("pilot",), user="p")
    for n, host in enumerate(pilots):
        module = world.start(
            host, "M", folder.format(f"p{n}") + r"\m.node",
            writer=replace(program, path=folder.format(f"p{n}") + r"\signal.exe"), kind="library", signer_state="unsigned",
        )  # fmt: skip
        assert (module.verdict.word, module.verdict.reason.ref) == (GRACED, "pilot-ring-pilots")
    world.later(DAY)
    fleet = world.hosts(5)
    decisions = [
        world.start(
            host, "M", folder.format(host) + r"\m.node",
            writer=replace(program, path=folder.format(host) + r"\signal.exe"), kind="library", signer_state="unsigned",
        )
        for host in fleet
    ]  # fmt: skip
    assert [each.moved for each in decisions] == [True, True, True, False, False]
    assert [each.contained for each in decisions] == [False, False, False, True, True]
    world.allow("M")
    assert world.moved() == []


def test_J09_a_known_editor_comes_with_a_certificate_nobody_trusts(world: World) -> None:
    agent = world.inventory(r"C:\Windows\CCM\CcmExec.exe", role="deployment", trust="proof")
    world.inventory(r"C:\Program Files\Notepad++\notepad++.exe", signer="Notepad++")
    for host in world.hosts(40):
        managed = world.start(
            host, "npp 8.8.3", r"C:\Program Files\Notepad++\notepad++.exe", writer=agent,
            signer="Notepad++", signer_state="invalid",
        )  # fmt: skip
        assert (managed.verdict.word, managed.verdict.reason.level) == (ALLOWED, "provenance")
    explorer = world.inventory(r"C:\Windows\explorer.exe")
    for host in world.hosts(2, "dl"):
        own = world.start(
            host, "npp 8.8.3", rf"C:\Users\{host}\Downloads\npp.exe", parent=explorer,
            signer="Notepad++", signer_state="invalid",
        )  # fmt: skip
        assert (own.verdict.word, own.moved) == (UNKNOWN, True)
    assert world.moved() == ["dl001", "dl002"]


def test_J10_a_deny_set_names_a_system_file(world: World) -> None:
    hosts = world.hosts(60)
    for host in hosts:
        world.start(host, "svchost", r"C:\Windows\System32\svchost.exe", provenance="package:os:base@1", proven=True)
    proposed = ListEntry(
        T, "set-1", "deny", ListKind.HASH, sha("svchost"), author="set", created=START, confirmed=False
    )
    world._carried_out(proposed)
    assert world.moved() == []
    world._carried_out(replace(proposed, confirmed=True))
    assert all(world.posture(host) is COMPROMISED for host in hosts)
    assert len(world.moved()) == 3
    assert len([event for event in world.loud() if event.kind == "breaker_tripped"]) == 1
    from radius_policy.judgement.decisions import Removal

    world._carried_out(Removal(T, "set-1"))
    assert world.moved() == []
    assert all(world.posture(host) is HEALTHY for host in hosts)


def test_J11_the_last_till_of_the_shop() -> None:
    world = World(
        limits={"executable": {"number": 10, "percent": 100}, "site": {"number": 10, "percent": 100}},
        groups={"tills": {"min_available": 1}},
    )
    world.host("server", never_quarantine=True)
    tills = world.hosts(4, "till", groups=("tills",))
    server = world.start("server", "scanner update")
    assert (server.moved, world.access("server")) == (False, Access.PRODUCTION)
    decisions = [world.start(till, "scanner update") for till in tills]
    assert [each.moved for each in decisions] == [True, True, True, False]
    assert world.access("till004") is Access.PRODUCTION
    assert {event.host_id for event in world.events("protected")} == {"server", "till004"}
    assert decisions[3].held is Held.REFUSE_AT_DEADLINE
    world.allow("scanner update")
    assert world.moved() == []


def test_J12_imaging_day(world: World) -> None:
    hosts = [world.host(f"img{n:02d}", image="win11", enrolled_at=START - 5 * MINUTE) for n in range(8)]
    for host in hosts:
        for program in range(40):
            path = rf"C:\Program Files\Suite\p{program}.exe"
            manifest = world.start(host, f"p{program}", path, provenance="image:win11@3", proven=True)
            assert manifest.verdict.word is ALLOWED
    without = world.start(hosts[0], "p3 elsewhere", r"C:\Program Files\Suite\extra.exe")
    assert (without.verdict.word, without.moved) == (UNKNOWN, True)
    world.put(Pass(T, hosts[0], sha("p3 elsewhere"), world.now + HOUR, "ann"))
    passed = world.start(hosts[0], "p3 elsewhere", r"C:\Program Files\Suite\extra.exe")
    assert (passed.verdict.word, passed.verdict.reason.ref) == (GRACED, "one-time-pass")
    assert world.moved() == []
    elsewhere = world.start(hosts[1], "p3 elsewhere", r"C:\Program Files\Suite\extra.exe")
    assert elsewhere.verdict.word is UNKNOWN


def test_J13_a_browser_update_reaches_everyone_in_ten_minutes(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\Chrome\Update.exe", signer="Google", role="updater")
    world.inventory(r"C:\Program Files\Chrome\chrome.exe", signer="Google")
    decisions = [
        world.start(
            host, "R", r"C:\Program Files\Chrome\chrome.exe", parent=updater, writer=updater,
            signer="Google", signer_state="valid",
        )
        for host in world.hosts(120)
    ]  # fmt: skip
    assert [each.verdict.word for each in decisions].count(GRACED) == 50
    assert sum(each.moved for each in decisions) == 3
    assert sum(each.contained for each in decisions) == 67
    assert len(world.events("breaker_tripped")) == 1
    world.allow("R")
    assert world.moved() == []
    assert not world.contained("R")


def test_J14_a_certificate_expires_overnight(world: World) -> None:
    world.decide("allow", ListKind.SIGNER, "Logitech")
    for host in world.hosts(20):
        for what in ("T1", "T2"):
            world.start(host, what, rf"C:\Program Files\Logi\{what}.exe", signer="Logitech", signer_state="valid")
    world.later(DAY)
    for host in ("pc001", "pc002"):
        again = world.start(host, "T2", r"C:\Program Files\Logi\T2.exe", signer="Logitech", signer_state="expired")
        assert again.verdict.word is ALLOWED
    world.host("H1"), world.host("H2")
    stamped = world.start("H1", "T1", r"C:\Program Files\Logi\T1.exe", signer="Logitech", signer_state="valid")
    expired = world.start("H2", "T2", r"C:\Program Files\Logi\T2.exe", signer="Logitech", signer_state="expired")
    assert (stamped.verdict.word, expired.verdict.word) == (ALLOWED, UNKNOWN)
    assert world.moved() == ["H2"]


# --- malware must not run -----------------------------------------------------------------------------------------


def _graced_everywhere(world: World, hosts: list[HostId]) -> ParentRef:
    updater = world.inventory(r"C:\Program Files\3CX\Update.exe", signer="3CX", role="updater")
    world.inventory(r"C:\Program Files\3CX\3cx.exe", signer="3CX")
    for host in hosts:
        first = world.start(
            host, "X", r"C:\Program Files\3CX\3cx.exe", parent=updater, writer=updater, signer="3CX", signer_state="valid"
        )  # fmt: skip
        assert first.verdict.word is GRACED
    return ParentRef(r"C:\Program Files\3CX\3cx.exe", sha("X"))


def test_J15_the_vendors_own_signed_update_is_the_malware(world: World) -> None:
    hosts = world.hosts(45)
    x = _graced_everywhere(world, hosts)
    world.later(4 * DAY)
    world.deny("child")
    child = world.start("pc007", "child", r"C:\ProgramData\child.exe", parent=x, held=False)
    assert (child.verdict.word, world.posture("pc007"), child.moved) == (DENIED, COMPROMISED, True)
    assert world.contained("X")
    assert len(world.events("tied")) == 1
    again = world.start("pc009", "X", r"C:\Program Files\3CX\3cx.exe", parent=x, signer="3CX", signer_state="valid")
    assert (again.verdict.word, again.contained, again.moved) == (UNKNOWN, True, False)
    world.later(DAY)
    world.deny("X")
    assert all(world.posture(host) is COMPROMISED for host in hosts)
    assert len(world.moved()) == 4  # the three places of X, and the host of the denied child


def test_J16_the_deployment_agent_delivers_ransomware(world: World) -> None:
    agent = world.inventory(
        r"C:\Program Files\Kaseya\agent.exe", role="deployment", trust="grace", hours=72, max_hosts=10
    )
    hosts = world.hosts(60)
    words = [
        world.start(host, "D", r"C:\kworking\agent.crt.exe", parent=agent, writer=agent, held=True).verdict.word
        for host in hosts
    ]
    assert words.count(GRACED) == 10
    assert len(world.moved()) <= 3
    assert world.contained("D")
    world.deny("D")
    assert sum(world.posture(host) is COMPROMISED for host in hosts) == 13  # the 10, and the 3 moved ones that ran it
    assert len(world.moved()) <= 3


def test_J17_an_updater_starts_a_worm_through_rundll32(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\MeDoc\Update.exe", signer="MeDoc", role="updater")
    world.inventory(r"C:\Windows\System32\rundll32.exe")
    rundll = ParentRef(r"C:\Windows\System32\rundll32.exe", sha(r"C:\Windows\System32\rundll32.exe"))
    hosts = world.hosts(12)
    first = world.start(
        hosts[0], "W", r"C:\Windows\perfc.dat", held=False, kind="library", writer=updater, parent=rundll
    )
    assert (first.verdict.word, first.moved) == (UNKNOWN, True)
    tool = ParentRef(r"C:\Windows\PSEXESVC.exe", sha("remote tool"))
    for host in hosts[1:]:
        world.start(host, "remote tool", tool.path, held=False, signer="Sysinternals", signer_state="valid")
        world.start(host, "W", r"C:\Windows\perfc.dat", held=False, kind="library", parent=tool)
    assert len(world.moved()) <= 4
    assert world.contained("W")
    assert world.contained("remote tool")


def test_J18_a_hijacked_update_for_one_chosen_victim(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\Notepad++\updater\gup.exe", signer="Notepad++", role="updater")
    world.inventory(r"C:\Program Files\Notepad++\notepad++.exe", signer="Notepad++")
    world.host("victim"), world.host("other")
    installer = world.start(
        "victim", "I", r"C:\Users\v\AppData\Local\Temp\npp.exe", parent=updater, writer=updater,
        signer="Somebody Else", signer_state="valid",
    )  # fmt: skip
    beside = world.start(
        "other", "B", r"C:\Program Files\Notepad++\updater\b.exe", parent=updater, signer_state="unsigned"
    )
    assert (installer.verdict.word, beside.verdict.word) == (UNKNOWN, UNKNOWN)
    assert world.moved() == ["other", "victim"]
    told = world.events("unknown_ran")[0]
    assert (told.facts["parent"], told.facts["hosts"]) == (updater.path, 1)


def test_J19_a_signed_packaged_driver_that_kills_the_agent(world: World) -> None:
    world.deny("gdrv")
    three = world.hosts(3)
    world.start(three[0], "E", r"C:\Users\a\e.exe", held=False)
    for host in three:
        loaded = world.start(
            host, "gdrv", r"C:\Windows\System32\drivers\gdrv.sys", held=False, provenance="package:os:gdrv@1", proven=True,
            signer="Giga-Byte", signer_state="valid",
        )  # fmt: skip
        assert loaded.verdict.word is DENIED
        assert world.posture(host) is COMPROMISED
    with world.store.transaction() as tx:
        silent = judgement.mark_silent(tx, T, three[0], world.now, now=world.now + 5 * MINUTE, policy=world.policy)
    assert (silent.posture, silent.access) == (COMPROMISED, Access.REMEDIATION)
    assert len(world.events("agent_silent")) == 1


def test_J20_a_stolen_certificate_of_a_famous_vendor(world: World) -> None:
    world.decide("allow", ListKind.SIGNER, "NVIDIA")
    genuine = world.hosts(30)
    for host in genuine:
        driver = world.start(host, "driver", r"C:\Windows\nv.sys", signer="NVIDIA", signer_state="valid")
        assert driver.verdict.word is ALLOWED
    for host in world.hosts(2, "q"):
        stolen = world.start(host, "Q", r"C:\Users\q\q.exe", signer="NVIDIA", signer_state="expired")
        assert (stolen.verdict.word, stolen.moved) == (UNKNOWN, True)
    assert world.moved() == ["q001", "q002"]


def test_J21_a_script_dressed_as_something_else(world: World) -> None:
    python = world.inventory("/usr/bin/python3", role="interpreter")
    world.host("K1"), world.host("K2")
    script = world.start("K1", "K", "/tmp/k.txt", kind="script", interpreter=python, parent=python)
    assert (script.verdict.word, script.moved) == (UNKNOWN, True)
    deleted = world.start("K2", "", "/tmp/k.txt", parent=python)
    assert (deleted.verdict.word, deleted.moved) == (UNKNOWN, True)
    world.allow("K")
    assert world.moved() == ["K2"]
    world.clear("K2")
    assert world.moved() == []


def test_J22_every_victim_has_its_own_hash(world: World) -> None:
    word = world.inventory(r"C:\Program Files\Office\WINWORD.EXE")
    hosts = world.hosts(14)
    decisions = []
    for n, host in enumerate(hosts):
        world.later(25 * 1_000_000)
        decisions.append(world.start(host, f"locky {n}", rf"C:\Users\u{n}\AppData\Local\Temp\{n:x}.exe", parent=word))
    assert [each.moved for each in decisions] == [True] * 10 + [False] * 4
    assert all(each.contained for each in decisions[10:])
    assert all(each.verdict.word is UNKNOWN for each in decisions)
    [trip] = world.events("breaker_tripped")
    grouped = trip.facts["by_parent"]
    assert isinstance(grouped, dict)
    assert list(grouped) == [word.path]
    assert len(grouped[word.path]) == 11
    assert sum(each.alert for each in decisions) == 10
    world.later(21 * MINUTE)
    world.host("after")
    assert world.start("after", "another day", r"C:\Users\z\Downloads\z.exe", parent=word).moved


def test_J23_learning_learns_the_malware() -> None:
    world = World("learn", rules=fifty_hosts_seven_days())
    hosts = world.hosts(6)
    for program in range(9):
        for host in hosts[program % 2 : program % 2 + 2]:
            world.start(host, f"rare {program}", rf"C:\Tools\{program}.exe", held=False)
    for host in hosts[:5]:
        world.start(host, "office", r"C:\Program Files\Office\o.exe", held=False)
    assert world.moved() == []
    with world.store.transaction() as tx:
        plan = judgement.preview_mode(tx, T, {"default": "enforce"}, now=world.now, policy=world.policy)
    assert {line for line, _ in plan.open_lines} == {sha(f"rare {n}") for n in range(9)}
    assert {line for line, _ in plan.confirmed} == {sha("office")}
    world.mode("enforce", confirm=[sha(f"rare {n}") for n in range(7)])
    assert world.start(hosts[0], "rare 0", r"C:\Tools\0.exe").verdict.word is ALLOWED
    assert {reason.key for host in hosts for reason in world.reasons(host)} == {sha("rare 7"), sha("rare 8")}
    assert world.moved() == [str(host) for host in hosts[:3]]


def test_J24_a_worm_with_the_facts_of_a_roll_out(world: World) -> None:
    sites = ("berlin", "paris", "rome")
    hosts = [world.host(f"w{n:02d}", site=sites[n % 3]) for n in range(40)]
    for n, host in enumerate(hosts):
        world.start(host, "C", r"C:\Windows\mssecsvc.exe", held=n >= 12)
    assert len(world.moved()) == 3
    assert world.contained("C")
    world.deny("C")
    compromised = [host for host in hosts if world.posture(host) is COMPROMISED]
    assert compromised == hosts[:12]
    assert len(world.moved()) == 3
    refused = world.start(hosts[30], "C", r"C:\Windows\mssecsvc.exe")
    assert (refused.verdict.word, refused.held, world.posture(hosts[30])) == (DENIED, Held.REFUSED, PROBLEM)


def test_J24_quarantine_all_takes_those_who_ran_it_but_the_protected() -> None:
    world = World(rules=fifty_hosts_seven_days(), groups={"tills": {"min_available": 1}})
    hosts = [world.host(f"w{n:02d}") for n in range(12)]
    hosts += [world.host("server", never_quarantine=True), world.host("till", groups=("tills",)), world.host("refused")]
    for host in hosts:
        world.start(host, "C", r"C:\Windows\mssecsvc.exe", held=host == "refused")
    [trip] = trips(world.store.reading(), T, world.now)
    ran = ran_on(world.store.reading(), T, trip.contained)
    stay = would_stay(world.store.reading(), T, ran, now=world.now, policy=world.policy)
    assert [host for host in ran if host not in stay] == hosts[:12]
    assert {host: reason.level for host, reason in stay.items()} == {
        "server": "never-quarantine",
        "till": "min-available",
    }


def test_J26_the_alert_flood(world: World) -> None:
    hosts = world.hosts(200)
    for host in hosts:
        world.start(host, "A", r"C:\Program Files\A\a.exe")
    world.host("server")
    world.start("server", "B", "/opt/b")
    first = [event for event in world.loud() if event.facts.get("first")]
    assert [event.sha256 for event in first] == [sha("A"), sha("B")]
    loud = {event.topic for event in world.loud()}
    assert loud == {sha("A"), sha("B")}
    assert max(int(str(event.facts["hosts"])) for event in world.events("unknown_ran")) == 200


def test_J27_service_time_decides_grace_and_windows(world: World) -> None:
    updater = world.inventory(r"C:\Program Files\Chat\Update.exe", signer="Chat Inc", role="updater")
    world.inventory(r"C:\Program Files\Chat\chat.exe", signer="Chat Inc")
    world.host("H1", clock_offset_us=-10 * HOUR)
    chat = {"parent": updater, "writer": updater, "signer": "Chat Inc", "signer_state": "valid"}
    first = world.start("H1", "v2", r"C:\Program Files\Chat\chat.exe", **chat)  # type: ignore[arg-type]
    assert first.verdict.until == world.now + 7 * DAY
    world.later(7 * DAY)
    over = world.start("H1", "v2", r"C:\Program Files\Chat\chat.exe", began=world.now - 10 * HOUR, **chat)  # type: ignore[arg-type]
    assert (over.verdict.word, over.moved) == (UNKNOWN, True)


def test_J28_a_laptop_returns_with_a_week_of_events(world: World) -> None:
    world.host("L1"), world.host("L2")
    monday = world.now
    world.later(3 * DAY)
    world.clear("L1")
    world.later(DAY)
    for id in ("n1", "n1"):
        back = world.start("L1", "N", began=monday, held=False, id=id)
        assert (back.moved, world.posture("L1")) == (False, HEALTHY)
    known = world.store.reading().get(HostExecutable, T, HostId("L1"), sha("N"))
    assert known is not None
    assert (known.first, known.starts) == (monday, 1)
    assert len(world.events("late_unknown")) == 1
    assert world.start("L2", "N", began=monday, held=False).moved


def test_J28_a_denied_program_that_ran_before_the_clear_is_an_urgent_alert(world: World) -> None:
    world.host("L1")
    monday = world.now
    world.deny("N")
    world.later(3 * DAY)
    world.clear("L1")
    late = world.start("L1", "N", began=monday, held=False)
    assert (late.moved, world.posture("L1")) == (False, HEALTHY)
    assert [event.severity for event in world.events("late_denied")] == [2]


def test_J29_a_pause_survives_and_takes_back_what_was_not_sent(world: World) -> None:
    hosts = world.hosts(3)
    for host in hosts:
        world.start(host, "N")
    assert len(world.moved()) == 3
    world.pause()
    assert world.moved() == []
    assert all(world.posture(host) is PROBLEM for host in hosts)
    world.host("later")
    assert not world.start("later", "M").moved
    world.pause(False)
    assert world.moved() == ["later", *map(str, hosts)]


def test_the_same_start_twice_is_one() -> None:
    world = World()
    world.host("pc")
    first = world.start("pc", "N", id="twice-1")
    again = world.start("pc", "N", id="twice-1")
    assert (again.repeated, again.verdict.word, again.moved) == (True, first.verdict.word, False)
    assert len(world.store.reading().find(Execution, tenant=T)) == 1
    assert world.store.reading().get(Host, T, HostId("pc")) is not None
