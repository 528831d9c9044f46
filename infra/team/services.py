"""What each server of a team is started with: its command and its environment, its own secrets only."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra.team.settings import TeamSettings


@dataclass(frozen=True)
class Started:
    """A command and what its environment holds besides."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PYTHONUNBUFFERED": "1",
}


def storage_environment(own: TeamSettings) -> dict[str, str]:
    """Where face sets, checkpoints and results are, for our own processes."""
    return {
        "FACESWAP_S3_ENDPOINT_URL": own.s3_url,
        "FACESWAP_S3_ACCESS_KEY_ID": own.secret("s3_access_key"),
        "FACESWAP_S3_SECRET_ACCESS_KEY": own.secret("s3_secret_key"),
        "FACESWAP_FACE_SETS": f"s3://{own.bucket}/face-sets",
        "FACESWAP_CHECKPOINTS": f"s3://{own.bucket}/checkpoints",
    }


def client_environment(own: TeamSettings) -> dict[str, str]:
    """With which commands, flows and the app come to the servers."""
    return (
        _QUIET
        | {
            **storage_environment(own),
            "FACESWAP_TRACKING_URI": own.mlflow_url,
            "FACESWAP_TRACKING_PAGES": own.public_mlflow_url,
            "MLFLOW_TRACKING_USERNAME": own.mlflow_user,
            "MLFLOW_TRACKING_PASSWORD": own.secret("mlflow_password"),
            "PREFECT_API_URL": f"{own.prefect_url}/api",
            "PREFECT_UI_URL": own.public_prefect_url,
            "PREFECT_API_AUTH_STRING": f"faceswap:{own.secret('prefect_password')}",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # as in flows: of runs in containers and jobs of their own, too
        }
    )


def mlflow(own: TeamSettings) -> Started:
    """MLflow's server: its database in PostgreSQL, its artifacts in S3 and through it, its own users."""
    port, host = _port(own.mlflow_url), urlsplit(own.mlflow_url).hostname
    folder = Path(tempfile.mkdtemp(prefix="mlflow-"))
    ini = folder / "auth.ini"
    ini.touch(mode=0o600)
    ini.write_text(
        "[mlflow]\ndefault_permission = EDIT\n"
        f"database_uri = {own.database_url('psycopg2', 'mlflow_auth')}\n"
        f"admin_username = {own.mlflow_user}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 60\n"
    )
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--workers", "1"]
    command += ["--host", own.listen, "--port", str(port), "--serve-artifacts"]
    command += ["--artifacts-destination", f"s3://{own.bucket}/mlflow"]
    command += ["--allowed-hosts", f"localhost,localhost:*,127.0.0.1,127.0.0.1:*,{host}:{port}"]
    environment = {
        "MLFLOW_BACKEND_STORE_URI": own.database_url("psycopg2", "mlflow"),
        "MLFLOW_AUTH_CONFIG_PATH": str(ini),
        "MLFLOW_AUTH_ADMIN_PASSWORD": own.secret("mlflow_password"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": own.secret("mlflow_key"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_S3_ENDPOINT_URL": own.s3_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_RETRY_MODE": "standard",  # who asks tries again, and longer: no request holds a worker up
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_ACCESS_KEY_ID": own.secret("s3_access_key"),
        "AWS_SECRET_ACCESS_KEY": own.secret("s3_secret_key"),
    }
    return Started(command, _QUIET | environment)


def prefect(own: TeamSettings) -> Started:
    """Prefect's server on PostgreSQL, with a login; old runs go after 90 days."""
    environment = {
        "PREFECT_API_DATABASE_CONNECTION_URL": own.database_url("asyncpg", "prefect"),
        "PREFECT_SERVER_API_AUTH_STRING": f"faceswap:{own.secret('prefect_password')}",
        "PREFECT_SERVER_API_HOST": own.listen,
        "PREFECT_SERVER_API_PORT": str(_port(own.prefect_url)),
        "PREFECT_SERVER_UI_API_URL": "/api",
        # in files, below PREFECT_HOME: in memory, the default, a restart would leave the slots of lost runs taken
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(90 * 24 * 3600),
    }
    return Started([sys.executable, "-m", "infra.prefect_server"], _QUIET | environment)


def worker(own: TeamSettings) -> Started:
    """One of Prefect's workers; before, the deployments are brought up to date."""
    command = [sys.executable, "-m", "flows.pools", "--queue", own.queue, "--slots", str(own.slots)]
    told = {
        "PREFECT_LOGGING_EXTRA_LOGGERS": "faceswap,flows",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_CLIENT_METRICS_ENABLED": "true",
    }
    return Started(command, client_environment(own) | told)


def app(own: TeamSettings) -> Started:
    """The app; people come through the proxy, which has asked who they are."""
    environment = client_environment(own) | {
        "FACESWAP_APP_HOST": own.listen,
        "FACESWAP_APP_PORT": str(_port(own.app_url)),
        "FACESWAP_APP_PROXY_KEY": own.secret("proxy_key"),
        "FACESWAP_APP_ORIGIN": own.public_url,
        "FACESWAP_APP_METRICS": "true",
    }
    return Started([sys.executable, "-m", "faceswap.cli", "serve"], environment)


SERVICES: Mapping[str, Callable[[TeamSettings], Started]] = {
    "mlflow": mlflow,
    "prefect": prefect,
    "worker": worker,
    "app": app,
}
"""name -> how it is started."""


def become(started: Started, keep: bool = False) -> None:
    """Turn this process into a server or a command.

    Args:
        started: what it becomes.
        keep: hand the variables ``TEAM_…`` on, for commands that look after the databases; servers get their own only.
    """
    kept = {key: value for key, value in os.environ.items() if keep or not key.startswith("TEAM_")}
    os.execvpe(started.command[0], started.command, kept | started.environment)


def _port(url: str) -> int:
    return urlsplit(url).port or 80
