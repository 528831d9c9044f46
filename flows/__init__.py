"""Prefect flows: thin recipes over the core package ``faceswap``.

Importing the package sets Prefect's environment, before Prefect itself is imported: state under the home folder,
no calls to the outside. What the user has set stays.
"""

import os

from faceswap.redaction import redact_logs
from faceswap.settings import settings
from flows.server_log import write_logging

redact_logs()
_home = settings().home_path / "prefect"
_home.mkdir(parents=True, exist_ok=True)  # Prefect's server would not start without
write_logging(_home)
for _key, _value in {
    "PREFECT_HOME": str(_home),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The first start of a server on a slow machine takes longer than Prefect's 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # The shortest that Prefect allows: a run whose process is gone shows as crashed within a minute.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
}.items():
    os.environ.setdefault(_key, _value)
