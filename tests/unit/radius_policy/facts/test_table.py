"""Facts: what a report gives, what an inventoried role gives, and that a missing one is just missing."""

from datetime import UTC
from typing import Any

import pytest

from radius_policy.facts.table import (
    FACTS,
    Facts,
    Type,
    of_deployment,
    of_execution,
    of_family,
    of_program,
    split_provenance,
)
from radius_policy.model import DEFAULT_TENANT, SECOND, Execution, Host, HostId, ParentRef, Sha256, Tool, ToolRole

A, B = Sha256("a" * 64), Sha256("b" * 64)
HOST = Host(DEFAULT_TENANT, HostId("h1"), "pc1", site="bonn", groups=("pilot",), role="dev")
UPDATER = Tool(DEFAULT_TENANT, B, ToolRole.UPDATER, "update.exe", r"c:\users\*\appdata\local\chat", never_signed=True)
HOME = r"C:\Users\ann\AppData\Local\chat" "\\"


def start(path: str = "/opt/app/x", at: int = 0, **more: Any) -> Execution:
    return Execution(DEFAULT_TENANT, "e1", HOST.host_id, A, path, 1, at, at, **more)


def test_every_row_of_the_table_has_a_type_that_fits_its_words() -> None:
    for name, fact in FACTS.items():
        assert name == fact.name
        assert fact.doc.endswith(".")
        assert (fact.type is Type.WORD) == bool(fact.words), name
        assert fact.type is not Type.NUMBER or fact.unit, name


def test_a_report_and_its_host_give_the_plain_facts() -> None:
    execution = start(
        r"C:\Program Files\Zoom\5.17\Zoom.exe",
        at=1_704_067_200 * SECOND,
        signer="Zoom",
        signer_state="valid",
        provenance="package:msi:zoom@5.17",
        proven=True,
        interpreter=ParentRef("/bin/sh", B),
    )
    facts = of_execution(execution, HOST, zone=UTC)
    assert set(facts) <= set(FACTS)
    assert facts["place"] == r"c:\program files\zoom"
    assert facts["place.kind"] == "programs"
    assert (facts["provenance.source"], facts["provenance.detail"], facts["provenance.proven"]) == (
        "package",
        "msi:zoom@5.17",
        True,
    )
    assert (facts["host.role"], facts["host.site"], facts["host.groups"]) == ("dev", "bonn", ("pilot",))
    assert (facts["time.hour"], facts["time.weekday"]) == (0, 1)
    assert facts["interpreter.hash"] == B
    assert facts["signer.seen"] is True


def test_what_the_report_does_not_tell_is_missing() -> None:
    facts = Facts(of_execution(start(), HOST, zone=UTC))
    for name in (
        "signer.state",
        "signer.name",
        "signer.seen",
        "product",
        "version",
        "user",
        "provenance.source",
        "interpreter.hash",
        "nonsense",
    ):
        assert facts[name] is None
    assert "signer.state" not in facts.all()


@pytest.mark.parametrize("at", [-(2**62), 2**62])
def test_an_absurd_clock_still_has_an_hour(at: int) -> None:
    assert 0 <= int(str(of_execution(start(at=at), HOST, zone=UTC)["time.hour"])) < 24


@pytest.mark.parametrize(
    ("text", "source", "detail"),
    [
        ("package:apt:vim@9", "package", "apt:vim@9"),
        ("unknown", "unknown", None),
        ("ccm:Zoom@5", "installer", "ccm:Zoom@5"),
        ("image:img0@patched", "image", "img0@patched"),
        ("updater:zoom@5", "installer", "updater:zoom@5"),
        ("apt:vim@9", "package", "apt:vim@9"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_provenance_is_split_into_source_and_detail(text: str | None, source: str | None, detail: str | None) -> None:
    assert split_provenance(text) == (source, detail)


def test_an_updater_has_its_role_in_its_own_home_only() -> None:
    at_home = of_program("writer", HOME + "Update.exe", B, UPDATER, file_path=HOME + r"app-2.0\chat.exe")
    assert (at_home["writer.role"], at_home["writer.never_signed"], at_home["writer.same_home"]) == (
        ToolRole.UPDATER,
        True,
        True,
    )
    copied = of_program(
        "writer",
        r"C:\Users\ann\AppData\Local\Temp\x\Update.exe",
        B,
        UPDATER,
        file_path=r"C:\Users\ann\AppData\Local\Temp\x\y.exe",
    )
    assert "writer.role" not in copied
    assert copied["writer.same_home"] is False


def test_the_home_of_another_user_is_not_the_same_home() -> None:
    facts = of_program("parent", HOME + "Update.exe", B, UPDATER, file_path=HOME.replace("ann", "bob") + "chat.exe")
    assert facts["parent.same_home"] is False


def test_a_program_that_no_inventory_knows_has_no_role() -> None:
    facts = of_program("parent", HOME + "Update.exe", A, None, file_path=HOME + "chat.exe")
    assert "parent.role" not in facts
    assert facts["parent.hash"] == A


def test_a_deployment_tool_has_a_trust_only_once_confirmed() -> None:
    proposed = Tool(DEFAULT_TENANT, B, ToolRole.DEPLOYMENT, "ccmexec.exe", trust="proof")
    assert of_deployment(proposed) == {"writer.chain_deployment": True}
    confirmed = Tool(
        DEFAULT_TENANT, B, ToolRole.DEPLOYMENT, "ccmexec.exe", confirmed=True, trust="grace", hours=5, max_hosts=10
    )
    assert of_deployment(confirmed) == {
        "writer.chain_deployment": True,
        "writer.trust": "grace",
        "writer.trust_hours": 5,
        "writer.trust_max_hosts": 10,
    }
    assert of_deployment(UPDATER) == {}
    assert of_deployment(None) == {}


def test_a_family_gives_its_key_and_template() -> None:
    ngen = Tool(DEFAULT_TENANT, B, ToolRole.COMPILER, "mscorsvw.exe", makes="native-image")
    facts = of_family(r"C:\Windows\assembly\NativeImages_v4.0.30319_64\X\0a0b0c0d\X.ni.exe", ngen)
    assert facts["family.template"] == "native-image"
    assert of_family("/opt/x", ngen) == {}
