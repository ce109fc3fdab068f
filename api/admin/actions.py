"""Every deed of an admin in one place: what the REST API, the console and the command line call.

Each is a function on a transaction that checks the actor's role, does the deed and writes the audit line. After
`add_entry` and `remove_entry`, call `settle` with what they touched.
"""

from api.admin.errors import Conflict, NotFound, Refused
from api.admin.hosts import (
    canonical_mac,
    clear,
    find_host,
    hosts,
    protect,
    quarantine,
    release,
    short_view,
    whole_view,
    withdraw,
)
from api.admin.lists import Decided, Wish, add_entry, entries, remove_entry, resolve_hash
from api.admin.nas import add_nas, all_nas, remove_nas
from api.admin.settings import SETTINGS, change_setting, set_mode, set_pause, setting
from api.admin.settle import Settled, settle
from api.admin.tokens import api_tokens, make_api_token, make_enrolment_token, remove_api_token
from api.admin.users import add_user, disable_user, reset_user, users

__all__ = [
    "SETTINGS",
    "Conflict",
    "Decided",
    "NotFound",
    "Refused",
    "Settled",
    "Wish",
    "add_entry",
    "add_nas",
    "add_user",
    "all_nas",
    "api_tokens",
    "canonical_mac",
    "change_setting",
    "clear",
    "disable_user",
    "entries",
    "find_host",
    "hosts",
    "make_api_token",
    "make_enrolment_token",
    "protect",
    "quarantine",
    "release",
    "remove_api_token",
    "remove_entry",
    "remove_nas",
    "reset_user",
    "resolve_hash",
    "set_mode",
    "set_pause",
    "setting",
    "settle",
    "short_view",
    "users",
    "whole_view",
    "withdraw",
]
