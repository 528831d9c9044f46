"""The servers of one machine: their addresses, and whether they answer."""

import errno
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from faceswap.errors import SettingsError
from faceswap.settings import settings

if TYPE_CHECKING:
    import httpx

_HOST = "127.0.0.1"
_LOOPBACK = {"0.0.0.0": _HOST, "::": "::1"}
"""Where to ask a server that listens on all addresses."""


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
        import httpx  # takes longer than most commands that have no question

        try:
            return _client().get(self.url + self.health).is_success
        except httpx.HTTPError:
            return False


@lru_cache
def _client() -> "httpx.Client":
    """One for all questions: making it reads the certificates, which takes longer than asking."""
    import httpx

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
