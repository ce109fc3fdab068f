"""`pratique deny`: the deny list."""

from api.cli._lists import commands

app = commands("deny")
