"""The servers of one machine: their addresses, whether they answer, and the note of those that run."""

import errno
import json
import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpx
import psutil

from faceswap.errors import SettingsError
from faceswap.settings import settings
from faceswap.tracking.s3 import s3_environment

_HOST = "127.0.0.1"
_LOOPBACK = {"0.0.0.0": _HOST, "::": "::1"}
"""Where to ask a server that listens on all addresses."""
_NOTE = "servers.json"


@dataclass(frozen=True)
class Service:
    """A server of ours.

    Attributes:
        name: as in the Procfile.
        title: what a person calls it.
        port: where it listens.
        setting: the environment variable of the port.
        health: path that answers 200 when it works.
        host: the name or address it listens on; ``0.0.0.0`` and ``::`` mean all of this machine's.
    """

    name: str
    title: str
    port: int
    setting: str
    health: str
    host: str = _HOST

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        host = _LOOPBACK.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def check_port(self) -> None:
        """It can listen.

        Raises:
            SettingsError: the port is in use, or the host is no address of this machine.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise SettingsError(
                    f"{self.title} can't listen on {self.host}, which is no address of this machine",
                    f"set FACESWAP_{self.name.upper()}_HOST to one that is, such as {_HOST}",
                ) from error
            raise SettingsError(
                f"Port {self.port} for {self.title} can't be used: {error.strerror}",
                f"stop what listens there, or set {self.setting} to another port",
            ) from error

    def healthy(self) -> bool:
        """Whether it answers."""
        try:
            return _client().get(self.url + self.health).is_success
        except httpx.HTTPError:
            return False


@lru_cache
def _client() -> httpx.Client:
    """One for all questions: making it reads the certificates, which takes longer than asking."""
    return httpx.Client(timeout=5, trust_env=False, follow_redirects=True)


def services() -> dict[str, Service]:
    """The servers by name, in the order in which they start."""
    own = settings()
    return {
        one.name: one
        for one in (
            Service("mlflow", "MLflow", own.mlflow_port, "FACESWAP_MLFLOW_PORT", "/health"),
            Service("prefect", "Prefect", own.prefect_port, "FACESWAP_PREFECT_PORT", "/api/health"),
            Service("app", "App", own.app_port, "FACESWAP_APP_PORT", "/", own.app_host),
        )
    }


def check_ports() -> None:
    """Every port is free where its server listens, and no two are the same.

    Raises:
        SettingsError: names the setting.
    """
    taken: dict[int, Service] = {}
    for one in services().values():
        if one.port in taken:
            raise SettingsError(
                f"{one.setting} and {taken[one.port].setting} are both {one.port}", "give each its own port"
            )
        taken[one.port] = one
        one.check_port()


def client_environment() -> dict[str, str]:
    """What makes a process talk to the servers."""
    known = services()
    return {
        "FACESWAP_TRACKING_URI": known["mlflow"].url,
        "PREFECT_API_URL": f"{known['prefect'].url}/api",
    }


def server_environment() -> dict[str, str]:
    """What the Procfile's commands need besides: state under the home folder, nothing asked of the outside."""
    home, known = settings().home_path, services()
    return (
        client_environment()
        | s3_environment()
        | {
            "FACESWAP_HOME": str(home),
            "MLFLOW_DATABASE": f"sqlite:///{home / 'mlflow.db'}",
            "MLFLOW_ARTIFACTS": settings().artifacts,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # for features that we don't use; doubles the start
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_SERVER_API_PORT": str(known["prefect"].port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_UI_V2_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "faceswap,flows",  # their lines show in the UI
            "DO_NOT_TRACK": "1",
            "GRADIO_ANALYTICS_ENABLED": "False",
            "PYTHONUNBUFFERED": "1",
            **{one.setting: str(one.port) for one in known.values()},
        }
    )


def note() -> Path:
    """The file that says which servers run on this home folder."""
    return settings().home_path / _NOTE


def write_note() -> None:
    """Say that this process runs the servers."""
    me = psutil.Process()
    content = {"pid": me.pid, "created": me.create_time(), "environment": client_environment()}
    part = note().with_suffix(".part")
    part.write_text(json.dumps(content))
    part.replace(note())


def running_environment() -> dict[str, str]:
    """:func:`client_environment` of the servers that run on this home folder; empty where none do."""
    try:
        found = json.loads(note().read_text())
        alive = abs(psutil.Process(found["pid"]).create_time() - found["created"]) < 1
    except (OSError, ValueError, KeyError, psutil.Error):
        return {}
    return dict(found["environment"]) if alive else {}


def use_running_servers() -> None:
    """Let this process work with the servers of ``faceswap up``, unless its user has chosen others."""
    found = running_environment()
    if not found or settings().tracking_uri or "PREFECT_API_URL" in os.environ:
        return
    os.environ.update(found)
    settings.cache_clear()
