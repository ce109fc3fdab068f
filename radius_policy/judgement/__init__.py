"""The judgement: what follows from a start, or from a person's decision, in one transaction of the store.

This is the room's door: `record` and `finish` for what endpoints report, `decide_list` and `recompute` for lists,
the rest for hosts, modes and the pause. The tables that decide are beside the room: `verdict.py`, `posture.py`,
`access.py`, `breaker.py`, `held.py`, and the rules in `grace/`.
"""

from radius_policy.judgement.administration import (
    Preview,
    Refused,
    clear_host,
    forget_silence,
    mark_silent,
    preview_mode,
    quarantine,
    release,
    set_mode,
    set_pause,
    withdraw,
)
from radius_policy.judgement.decisions import Recomputed, Touched, decide_list, recompute
from radius_policy.judgement.recording import finish, record
from radius_policy.judgement.standing import UnknownHost, refresh
from radius_policy.judgement.start import Decision

__all__ = [
    "Decision", "Preview", "Recomputed", "Refused", "Touched", "UnknownHost", "clear_host", "decide_list", "finish",
    "forget_silence", "mark_silent", "preview_mode", "quarantine", "recompute", "record", "refresh", "release",
    "set_mode", "set_pause", "withdraw",
]  # fmt: skip
