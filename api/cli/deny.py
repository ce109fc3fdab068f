"""`pratique deny`: the deny list."""

from api.cli import _batches
from api.cli._lists import commands

app = commands("deny")
_batches.register(app, "deny")
