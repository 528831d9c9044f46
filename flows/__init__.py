"""Prefect flows: thin recipes over the jobs of the core package ``faceswap``.

Importing the package sets Prefect's environment, before Prefect itself is imported: state under the home folder,
no server of its own, no calls to the outside. What the user has set stays.
"""

import os

from faceswap.output.redaction import redact_logs
from faceswap.process.loopback import reach_loopback_directly
from faceswap.settings import settings

redact_logs()
reach_loopback_directly()
_home = settings().home_path / "prefect"
_home.mkdir(parents=True, exist_ok=True)  # Prefect's server would not start without
for _key, _value in {
    "PREFECT_HOME": str(_home),
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # jobs run without a server, flows need one that is there
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    # The shortest that Prefect allows: a run whose process is gone shows as crashed within a minute.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
}.items():
    os.environ.setdefault(_key, _value)
