"""Telling people at once: events → routes → messages → channels.

`routes` and `joining` are pure: they decide who is told and which message an event joins. `outbox` keeps what was
decided in the store, in one transaction with the cursor. `content` and `render` say it in words, `mail` and the
other channels carry it, `worker` is the shell that keeps all of it going.
"""
