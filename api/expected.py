"""The errors that a person is told in one sentence; anything else is a defect and shows its traceback."""

import sys


def expected() -> tuple[type[Exception], ...]:
    """Their families. Called when something was raised already, so that it costs nothing before."""
    from api.auth.passwords import WeakPassword
    from api.auth.roles import Forbidden
    from api.config import ConfigError
    from api.errors import Refused
    from api.start import CannotStart
    from radius_policy.store.doorbell import DoorbellError
    from radius_policy.store.interface import StoreError

    families = (Refused, Forbidden, ConfigError, StoreError, WeakPassword, CannotStart, DoorbellError)
    tls = sys.modules.get("api.tls")  # only where it was needed: it imports a lot
    return (*families, tls.TlsError) if tls else families
