"""`pratique config`: what the configuration file and the environment come to."""

from typing import Annotated

import typer

from api.cli.common import ConfigOption, JsonOption, print_json
from api.cli.common import app as made_app
from api.config import load, shown

app = made_app("The configuration file.")


@app.command()
def show(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """All keys with their values, defaults and overrides included."""
    loaded = load(config)
    values = shown(loaded)
    if as_json:
        print_json({"file": str(loaded.file) if loaded.file else None, **values})
        return
    print(f"# {loaded.file or 'no file: defaults and environment'}")
    for section, table in values.items():
        print(f"\n[{section}]")
        for key, value in table.items():
            print(f"{key} = {_toml(value)}" if value is not None else f"# {key} is not set")


@app.command()
def check(file: Annotated[str | None, typer.Argument(help="another file")] = None, config: ConfigOption = None) -> None:
    """Say what is wrong with it, with file and line; exit code 1 then."""
    loaded = load(file or config)
    print(f"{loaded.file or 'defaults'}: fine")


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
