"""The register of records says what is wrong with an entry before any database does."""

from dataclasses import dataclass
from enum import Enum

import pytest

from radius_policy.model import Access, Host, Order, PostureReason, Reason, Severity, TenantId
from radius_policy.store.schema import RECORDS, Field, RecordType, record_type


@dataclass(frozen=True, slots=True)
class Ship:
    tenant: TenantId
    name: str
    cargo: tuple[str, ...] = ()
    docked: int | None = None


class Flag(Enum):
    YELLOW = "yellow"


@dataclass(frozen=True, slots=True)
class Flagged:
    tenant: TenantId
    flag: Flag


def test_fields_become_columns_by_their_types() -> None:
    fields = {field.name: field for field in RecordType(Ship, "ships", ("tenant", "name")).fields}
    assert fields["tenant"] == Field("tenant", int, nullable=False, json=False)
    assert fields["name"] == Field("name", str, nullable=False, json=False)
    assert fields["docked"] == Field("docked", int, nullable=True, json=False)
    assert fields["cargo"].json


def test_enums_octets_and_nested_values_are_known() -> None:
    order = record_type(Order).findable
    assert order["access"].type is Access
    assert order["session"] == Field("session", bytes, nullable=True, json=False)
    assert "reason" not in record_type(PostureReason).findable
    assert {field.name: field.type for field in record_type(PostureReason).fields}["reason"] is Reason
    assert Severity in {field.type for record in RECORDS.values() for field in record.fields}


@pytest.mark.parametrize(
    ("key", "indexes", "said"),
    [
        (("tenant", "port"), (), "Ship.port"),
        (("tenant", "name"), (("tenant", "cargo"),), "Ship.cargo"),
        (("tenant", "docked"), (), "Ship.docked may be None"),
    ],
)
def test_a_key_or_index_of_what_cannot_be_found_by_is_refused(
    key: tuple[str, ...], indexes: tuple[tuple[str, ...], ...], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        RecordType(Ship, "ships", key, indexes)


def test_what_is_no_dataclass_or_has_an_unwritable_enum_is_refused() -> None:
    with pytest.raises(TypeError, match="no dataclass"):
        RecordType(int, "numbers", ("tenant",))
    with pytest.raises(TypeError, match="neither a str nor an int enum"):
        RecordType(Flagged, "flags", ("tenant", "flag"))


def test_an_unregistered_kind_is_named_with_the_place_to_register_it() -> None:
    with pytest.raises(TypeError, match=r"Ship.*radius_policy/store/schema\.py"):
        record_type(Ship)


def test_every_key_begins_with_the_tenant() -> None:
    assert [record.table for record in RECORDS.values() if record.key[0] != "tenant"] == []
    assert record_type(Host).key == ("tenant", "host_id")


def test_tables_and_indexes_have_names_of_their_own() -> None:
    tables = [record.table for record in RECORDS.values()]
    assert len(set(tables)) == len(tables)
    for record in RECORDS.values():
        assert len(set(record.indexes)) == len(record.indexes), record.table
        redundant = [index for index in record.indexes if record.key[: len(index)] == index]
        assert redundant == [], f"{record.table}: the key serves these already"
        for index in record.indexes:
            assert len(f"{record.table}_by_{'_'.join(index[1:])}") <= 63, "PostgreSQL cuts longer names"
