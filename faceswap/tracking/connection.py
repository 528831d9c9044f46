"""The process's one connection to MLflow, and what MLflow raises said in words."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import requests
from mlflow.exceptions import MlflowException
from mlflow.utils.logging_utils import disable_logging

from faceswap.errors import TrackingError
from faceswap.files.disk import free, is_full
from faceswap.files.home_paths import local_path
from faceswap.process.loopback import reach_loopback_directly
from faceswap.settings import Settings, settings
from faceswap.tracking.s3_artifacts import FIX, s3_environment, s3_errors

_ENVIRONMENT = {
    # A lost server must not hold a training for minutes; MLflow's default is 7 tries of 120 s.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # what MLflow tells of every run and every version would stand among what a command was asked for
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_CHATTY = ("alembic", "mlflow", "mlflow.utils.environment", "mlflow.tracking", "urllib3.connectionpool")
_lock = threading.Lock()
_made: "tuple[Settings, mlflow.MlflowClient] | None" = None


def connect() -> mlflow.MlflowClient:
    """The client of the settings' server or database, made once a process: the first call sees whether it answers.

    Raises:
        TrackingError: the server does not answer or refuses; the next call tries again.
    """
    global _made  # noqa: PLW0603  # one a process
    with _lock:
        if _made is None or _made[0] is not settings():
            _made = settings(), _new_client()
        return _made[1]


def _new_client() -> mlflow.MlflowClient:
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    os.environ |= s3_environment()
    reach_loopback_directly()
    disable_logging()
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.ERROR)
    uri = settings().tracking
    if uri.startswith("sqlite:"):
        settings().home_path.mkdir(parents=True, exist_ok=True)
    with explained("connect"):
        mlflow.set_tracking_uri(uri)  # for what takes no client: a run's measures of the system
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient(uri)
        client.search_experiments(max_results=1)
    return client


def failures() -> tuple[type[Exception], ...]:
    """What MLflow raises where it can't do something: errors of its own, of the system, and its S3 client's."""
    return (MlflowException, OSError, *s3_errors())


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what MLflow raises within a block into an error that says what it could not do.

    Raises:
        TrackingError: the server, or the S3 store of its artifacts, does not answer or refuses.
    """
    try:
        yield
    except failures() as error:
        raise TrackingError(
            f"MLflow at {settings().tracking} can't {action}: {first_line(error)}",
            FIX
            if isinstance(error, s3_errors())
            else f"make room {_full_place()}; what was computed so far is kept, resume it"
            if is_full(error)
            else "start the server or correct FACESWAP_TRACKING_URI; what was computed so far is kept, resume it",
        ) from error


def _full_place() -> str:
    """Where room is missing, as far as this process knows: a server's disks are its own."""
    own = settings()
    if not own.tracking.startswith("sqlite:"):
        return "on the disk of its artifacts"
    known = [local_path(own.artifacts), Path(own.tracking.removeprefix("sqlite:///")).parent]
    return f"in {min((place for place in known if place), key=free)}"


def first_line(error: Exception) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    behind = error.__context__ if isinstance(error, MlflowException) else None
    if isinstance(behind, requests.exceptions.RetryError) or "Connection aborted" in str(behind):
        return "it breaks off; its database or the store of its artifacts may be away, its log says more"
    if isinstance(behind, requests.ConnectionError | requests.Timeout):
        return "it does not answer"
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
