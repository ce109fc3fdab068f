"""Names for people: the dictionary of the attributes used, read by pyrad. Off the hot path (logs, `nas trace`).

The codec works on numbers and octets and needs none of this. A value that does not fit its type is shown as
hexadecimal digits: showing a packet never raises.
"""

from functools import cache
from importlib.resources import as_file, files
from typing import Any

from pyrad import tools
from pyrad.dictionary import Dictionary

from radius_policy.radius.attributes import printable
from radius_policy.radius.wire import CHAP_PASSWORD, USER_PASSWORD, Code, Packet

HIDDEN = frozenset({USER_PASSWORD, CHAP_PASSWORD})
"""Attributes whose value is never shown."""


@cache
def dictionary() -> Any:
    """The loaded dictionary (pyrad's `Dictionary`)."""
    with as_file(files("radius_policy.radius") / "dictionary.pratique") as path:
        return Dictionary(str(path))


def name_of(number: int) -> str:
    """The attribute's name, or `Attribute-NUMBER` for one that is not in the dictionary."""
    index = dictionary().attrindex
    return str(index.GetBackward(number)) if index.HasBackward(number) else f"Attribute-{number}"


def number_of(name: str) -> int:
    """The attribute's number. Raises KeyError for a name that is not in the dictionary."""
    return int(dictionary()[name].code)


def show_value(number: int, value: bytes) -> str:
    """A value as people read it: by its type, by its name where it has one, else as digits."""
    if number in HIDDEN:
        return "(hidden)"
    name = name_of(number)
    if name not in dictionary():
        return value.hex()
    entry = dictionary()[name]
    if entry.values.HasBackward(value):
        return str(entry.values.GetBackward(value))
    if entry.type == "string":
        return printable(value[1:] if entry.has_tag and value[:1] < b"\x20" else value)
    if entry.type == "octets" or entry.has_tag:
        return value.hex()
    try:
        return str(tools.DecodeAttr(entry.type, value))
    except (ValueError, TypeError, IndexError):
        return value.hex()


def show(packet: Packet) -> list[str]:
    """A packet as lines for people: its code and identifier, then each attribute. Passwords are not shown."""
    lines = [f"{Code(packet.code).name.replace('_', '-').title()} {packet.identifier}"]
    return lines + [f"{name_of(number)} = {show_value(number, value)}" for number, value in packet.attributes]
