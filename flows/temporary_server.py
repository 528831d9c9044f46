"""The temporary server that Prefect starts for a command without one: guarded like that of ``faceswap up``."""

import os
import secrets

from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL


def guard_temporary_server() -> None:
    """Give the server that this process would start a login of its own, and let no page ask it; others stay.

    Before the first flow runs. Prefect hands its settings on to that server by the environment.
    """
    if PREFECT_API_URL.value():
        return
    login = f"faceswap:{secrets.token_urlsafe(24)}"
    os.environ |= {
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_API_AUTH_STRING": login,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "http://127.0.0.1",  # it has no pages; nothing listens there
    }
    refresh_global_settings_context()
