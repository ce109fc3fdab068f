"""`pratique allow`: the allow list."""

from api.cli import _batches
from api.cli._lists import commands

app = commands("allow")
_batches.register(app, "allow")
