"""Families: the same maker and the same source make one; a name makes none."""

from radius_policy.facts.families import family_of
from radius_policy.facts.places import place
from radius_policy.model import DEFAULT_TENANT, Sha256, Tool, ToolRole

NGEN = Tool(DEFAULT_TENANT, Sha256("a" * 64), ToolRole.COMPILER, "mscorsvw.exe", makes="native-image")
POWERSHELL = Tool(DEFAULT_TENANT, Sha256("c" * 64), ToolRole.SHELL, "powershell.exe", makes="policy-probe")
PIP = Tool(DEFAULT_TENANT, Sha256("d" * 64), ToolRole.INTERPRETER, "python.exe")
IMAGE = r"C:\Windows\assembly\NativeImages_v4.0.30319_64\System.Core\{}\System.Core.ni.exe"


def test_native_images_of_one_assembly_are_one_family_on_every_machine() -> None:
    one, other = (family_of(place(IMAGE.format(h)), NGEN) for h in ("0a1b2c3d", "44556677"))
    assert one is not None
    assert one == other
    assert one.template == "native-image"


def test_images_of_different_sources_are_different_families() -> None:
    here = place(IMAGE.format("0a1b2c3d"))
    assert family_of(here, NGEN, inputs=["1" * 64]) != family_of(here, NGEN, inputs=["2" * 64])


def test_the_same_name_and_place_by_another_maker_is_no_member() -> None:
    here = place(IMAGE.format("0a1b2c3d"))
    assert family_of(here, None) is None
    assert family_of(here, Tool(DEFAULT_TENANT, Sha256("b" * 64), ToolRole.COMPILER, "cl.exe")) is None


def test_what_the_maker_writes_elsewhere_is_no_member() -> None:
    assert family_of(place(r"C:\Windows\Temp\System.Core.ni.exe"), NGEN) is None


def test_a_probe_is_one_only_where_its_content_matches_the_template() -> None:
    here = place(r"C:\Users\ann\AppData\Local\Temp\__PSScriptPolicyTest_abc.ps1")
    assert family_of(here, POWERSHELL) is None
    probe = family_of(here, POWERSHELL, template="policy-probe")
    assert probe is not None


def test_launchers_are_known_by_stub_and_script() -> None:
    one = family_of(place(r"C:\Users\ann\env\Scripts\pip.exe"), PIP, inputs=["1" * 64, "2" * 64])
    other = family_of(place(r"C:\Users\bob\venv\Scripts\pip.exe"), PIP, inputs=["2" * 64, "1" * 64])
    assert one is not None
    assert one == other
    assert family_of(place(r"C:\Users\ann\env\Scripts\pip.exe"), PIP) is None
