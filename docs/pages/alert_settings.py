"""The page of the settings `alerts` and `scripts`: every member of them, read off the structs that the service reads them with.

What a struct is for is said by its own docstring, so this page needs no words of its own.
"""

import inspect
import json
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec.structs import fields

from api.alerts.periods import Daily, Digests, Weekly
from api.alerts.routes import DEFAULT_ROUTES, Hours, Route
from api.alerts.scripts import Script, ScriptSettings
from api.alerts.settings import AlertSettings, Spec
from docs.pages import table
from radius_policy.model import EventKind


def page() -> str:
    """The whole page."""
    channels = "\n\n".join(
        f'#### {channel.__struct_config__.tag}\n\n`{{"type": "{channel.__struct_config__.tag}", …}}`. {_doc(channel)}\n\n{_members(channel)}'
        for channel in get_args(Spec)
    )
    shipped = json.dumps([msgspec.to_builtins(route) for route in DEFAULT_ROUTES], indent=2)
    return f"""# The settings `alerts` and `scripts`

## The setting `alerts`

Who is told of which [event](events.md), and how: one JSON object, set by `pratique setting set alerts JSON` and checked
as a whole before it is stored. [Get alerts](../how-to/alerts.md) shows it in use. Times of day are in the site's zone.

{_members(AlertSettings)}

Without it these routes hold:

```json
{shipped}
```

### A route

{_doc(Route)}

{_members(Route)}

### Hours

{_doc(Hours)}

{_members(Hours)}

### Digests

{_doc(Digests)}

#### daily

{_doc(Daily)}

{_members(Daily)}

#### weekly

{_doc(Weekly)}

{_members(Weekly)}

### Channels

The channel `mail` is the one of the section [\\[mail\\]](configuration.md) of the configuration. Others have a name of
your choice and a `type`. Secrets stand in files, never in the setting.

{channels}

## The setting `scripts`

[Run a script](../how-to/run-a-script.md) shows it in use. {_doc(ScriptSettings)}

{_members(ScriptSettings)}

### A script

{_doc(Script)}

{_members(Script)}
"""


def _doc(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


def _members(kind: type) -> str:
    rows = ((f"`{each.encode_name}`", _type(each.type), _default(each)) for each in fields(kind))
    return table(("member", "takes", "default"), rows)


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    plain = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    return "below" if len(plain) > 60 else f"`{plain}`"


def _type(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if hasattr(kind, "__metadata__"):
        return _type(kind.__origin__)
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin is tuple:
        return f"list: {_type(inner[0])}"
    if origin is dict:
        return f"object: name → {_type(inner[1])}"
    if inner:  # a union
        known = [_type(each) for each in inner if each is not type(None)]
        return " or ".join(dict.fromkeys(known)) + (", or `null`" if type(None) in inner else "")
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "a kind of [event](events.md)" if kind is EventKind else ", ".join(f"`{word}`" for word in kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        tag = kind.__struct_config__.tag
        return f"[{tag}](#{tag})" if tag else f"object ({kind.__name__.lower()})"
    return {str: "text", int: "number", bool: "true or false", float: "number"}.get(kind, str(kind))
