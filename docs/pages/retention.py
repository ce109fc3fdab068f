"""The page of retention: how long each kind of data is kept, from the table that prunes it."""

from docs.pages import table
from radius_policy.retention import AGED, LEAST


def page() -> str:
    """The whole page."""
    rows = (
        (f"`{name}`", str(aged.days), f"{LEAST[name]} days" if name in LEAST else "", aged.what)
        for name, aged in AGED.items()
    )
    return f"""# Retention

How long what is kept is kept. The service deletes what is older, a little at a time. What decides now (endpoints, their
states and open reasons, lists, orders under way) has no age and is never deleted by age.

{table(("kind", "days", "at least", "what it is"), rows)}

The setting `retention` changes the days, for example `{{"executions": 90, "users": 30}}`. `users` is after how many days
names of users become pseudonyms (`user-` and twelve digits; the same for one user wherever the name stands); left out,
they never do. A pseudonym is undone only with the key in the data folder.

`pratique database retain` says what is past its days, and with `--yes` deletes it now. `pratique database forget` deletes
one endpoint, or makes a pseudonym of one user, everywhere and for good; it shows first, too.
"""
