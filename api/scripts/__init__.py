"""The shipped scripts, each a program of its own: `pratique:NAME` in the setting `scripts` names `NAME.py` here.

Each reads one JSON object on standard input (docs/how-to/run-a-script) and ends with 0 (done), 1 (refused or failed,
one sentence says why), 75 (not now, try again) or 78 (its own configuration cannot be used).
"""
