"""`pratique allow`: the allow list."""

from api.cli._lists import commands

app = commands("allow")
