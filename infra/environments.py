"""The environment of each process that ``faceswap up`` starts, and of the commands that use them."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
from dotenv import dotenv_values

from faceswap.process.ids import born
from faceswap.process.loopback import reach_loopback_directly
from faceswap.settings import settings
from faceswap.tracking.s3_artifacts import s3_environment
from infra.logins import prefect_login, write_private
from infra.services import services

_NOTE = "servers.json"
_S3 = frozenset(
    {
        "FACESWAP_S3_ENDPOINT_URL",  # may hold a user and a password
        "FACESWAP_S3_ACCESS_KEY_ID",
        "FACESWAP_S3_SECRET_ACCESS_KEY",
        "MLFLOW_S3_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
    }
)
_APP = frozenset({"FACESWAP_APP_USER", "FACESWAP_APP_PASSWORD"})
_FLOWS = frozenset({"PREFECT_API_URL", "PREFECT_API_AUTH_STRING"})
_PREFECT = frozenset(
    {
        "PREFECT_API_URL",
        "PREFECT_SERVER_API_AUTH_STRING",
        "PREFECT_API_DATABASE_CONNECTION_URL",
        "PREFECT_API_DATABASE_PASSWORD",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL",
        "PREFECT_SERVER_DATABASE_PASSWORD",
    }
)
_ELSEWHERE = frozenset(
    {
        "MLFLOW_TRACKING_USERNAME",
        "MLFLOW_TRACKING_PASSWORD",
        "MLFLOW_TRACKING_TOKEN",
        "PREFECT_API_KEY",
    }
)
"""Logins of servers that none of ours talks to."""
_SECRETS = _S3 | _APP | _FLOWS | _PREFECT | _ELSEWHERE
_OWN_SECRETS = {"mlflow": _S3, "prefect": _PREFECT, "flows": _S3 | _FLOWS, "app": _S3 | _APP}
"""Which secrets a process of the Procfile is given; of all others it knows nothing."""


def client_environment() -> dict[str, str]:
    """What makes a process talk to the servers."""
    known = services()
    return {
        "FACESWAP_TRACKING_URI": known["mlflow"].url,
        "PREFECT_API_URL": f"{known['prefect'].url}/api",
        "PREFECT_API_AUTH_STRING": prefect_login(),
    }


def process_environment(name: str, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment of a process: state under the home folder, nothing asked of the outside, its own secrets.

    Args:
        name: of the process in the Procfile.
        inherited: what it begins with.
    """
    own = _OWN_SECRETS[name]
    kept = {key: value for key, value in inherited.items() if key not in _SECRETS or key in own}
    given = _shared() | (s3_environment() if name == "mlflow" else {})
    given |= {key: value for key, value in client_environment().items() if key not in _SECRETS or key in own}
    if name == "prefect":
        given |= _guarded()
    made = kept | given
    reach_loopback_directly(made)
    return made


def _guarded() -> dict[str, str]:
    """Prefect's server asks for the login, and takes changes from its own pages and clients only."""
    port = services()["prefect"].port
    return {
        "PREFECT_SERVER_API_AUTH_STRING": prefect_login(),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
    }


def _shared() -> dict[str, str]:
    home, known = settings().home_path, services()
    return {
        "PYTHON": sys.executable,
        "FACESWAP_HOME": str(home),
        "MLFLOW_DATABASE": f"sqlite:///{home / 'mlflow.db'}",
        "MLFLOW_ARTIFACTS": settings().artifacts,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # for features that we don't use; doubles the start
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_API_HOST": known["prefect"].host,
        "PREFECT_SERVER_API_PORT": str(known["prefect"].port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        # in memory, the default, a restart would leave the slot of a lost training taken for ever
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "faceswap,flows",  # their lines show in the UI
        "DO_NOT_TRACK": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONUNBUFFERED": "1",
        **{one.setting: str(one.port) for one in known.values()},
    }


def note() -> Path:
    """The file that says which servers run on this home folder, and how to talk to them."""
    return settings().home_path / _NOTE


def write_note() -> None:
    """Say that this process runs the servers."""
    content = {"pid": os.getpid(), "born": born(), "environment": client_environment()}
    write_private(note(), json.dumps(content))


def running_environment() -> dict[str, str]:
    """:func:`client_environment` of the servers that run on this home folder; empty where none do."""
    try:
        found = json.loads(note().read_text())
        alive = born(found["pid"]) == found["born"]
    except (OSError, ValueError, KeyError, psutil.Error):
        return {}
    return dict(found["environment"]) if alive else {}


def use_running_servers() -> None:
    """Let this process work with the servers of ``faceswap up``, unless its user has chosen others."""
    for key, value in dotenv_values(".env").items():  # as Prefect itself reads it
        if key.startswith("PREFECT_") and value is not None:
            os.environ.setdefault(key, value)
    found = running_environment()
    if not found:
        return
    chosen = os.environ.get("PREFECT_API_URL")
    if chosen == found["PREFECT_API_URL"] and "PREFECT_API_AUTH_STRING" in found:
        os.environ.setdefault("PREFECT_API_AUTH_STRING", found["PREFECT_API_AUTH_STRING"])
    if settings().tracking_uri or chosen is not None:
        return
    os.environ.update(found)
    settings.cache_clear()
