"""Tool roles come from an inventoried hash; a name only proposes them."""

from dataclasses import dataclass

import pytest

from radius_policy.facts.roles import propose, role_for
from radius_policy.model import ToolRole


@dataclass(frozen=True)
class Line:
    sha256: str
    path: str
    signer: str | None = None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("CcmExec.exe", ToolRole.DEPLOYMENT),
        ("dpkg", ToolRole.PACKAGE_MANAGER),
        ("msiexec.exe", ToolRole.PACKAGE_MANAGER),
        ("Update.exe", ToolRole.UPDATER),
        ("GoogleUpdate.exe", ToolRole.UPDATER),
        ("mscorsvw.exe", ToolRole.COMPILER),
        ("MSBuild.exe", ToolRole.COMPILER),
        ("devenv.exe", ToolRole.COMPILER),
        ("x86_64-linux-gnu-ld.bfd", ToolRole.COMPILER),
        ("rustc", ToolRole.COMPILER),
        ("go", ToolRole.COMPILER),
        ("wscript.exe", ToolRole.INTERPRETER),
        ("rundll32.exe", ToolRole.INTERPRETER),
        ("python3.11", ToolRole.INTERPRETER),
        ("cmd.exe", ToolRole.SHELL),
        ("bash", ToolRole.SHELL),
        ("explorer.exe", None),
        ("PSEXESVC.exe", None),
        ("svchost.exe", None),
        ("OUTLOOK.EXE", None),
        ("firefox.exe", None),
    ],
)
def test_a_well_known_name_proposes_a_role(name: str, role: ToolRole | None) -> None:
    assert role_for(name) is role


def test_a_role_belongs_to_the_inventoried_content_alone() -> None:
    tools = propose([Line("a" * 64, r"C:\Windows\CCM\CcmExec.exe", "Microsoft")])
    assert tools["a" * 64].role is ToolRole.DEPLOYMENT
    assert not tools["a" * 64].confirmed
    assert tools["a" * 64].trust == ""
    assert "b" * 64 not in tools


def test_an_updater_whose_home_holds_nothing_signed_has_a_vendor_that_never_signs() -> None:
    home = r"C:\Program Files\Plain" "\\"
    tools = propose([Line("a" * 64, home + "Update.exe"), Line("b" * 64, home + "Plain.exe")])
    assert tools["a" * 64].never_signed
    assert tools["a" * 64].home == r"c:\program files\plain"


def test_an_unsigned_updater_of_a_signed_app_is_not_of_a_vendor_that_never_signs() -> None:
    home = r"C:\Program Files\Mixed" "\\"
    tools = propose([Line("a" * 64, home + "Update.exe"), Line("b" * 64, home + r"app-1.0\Mixed.exe", "Mixed Ltd")])
    assert not tools["a" * 64].never_signed


def test_one_updater_found_in_two_homes_has_none() -> None:
    tools = propose(
        [Line("a" * 64, r"C:\Program Files\One\Update.exe"), Line("a" * 64, r"C:\Program Files\Two\Update.exe")]
    )
    assert tools["a" * 64].home == ""


def test_one_updater_in_the_profiles_of_two_users_has_one_home() -> None:
    path = r"C:\Users\{}\AppData\Local\chat\Update.exe"
    tools = propose([Line("a" * 64, path.format("ann")), Line("a" * 64, path.format("bob"))])
    assert tools["a" * 64].home == r"c:\users\*\appdata\local\chat"
