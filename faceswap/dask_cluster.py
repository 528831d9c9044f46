"""The way to a Dask cluster: its address, the certificates of its connections, and what all workers are asked."""

import logging
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from faceswap.errors import SettingsError
from faceswap.settings import settings

if TYPE_CHECKING:
    from distributed import Client

logger = logging.getLogger(__name__)
CA, CERTIFICATE, KEY = "ca.pem", "cert.pem", "key.pem"
"""Files of the folder ``FACESWAP_DASK_TLS``: who is trusted, and what this machine shows."""
_CONNECT_SECONDS = 15
R = TypeVar("R")


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """A client of the scheduler at an address, for a block.

    Raises:
        SettingsError: there is no scheduler, or its connections and ours do not fit: one is encrypted, or a
            certificate is not trusted.
    """
    from distributed import Client, Security

    files = certificates(address)
    security = None
    if files:
        security = Security(
            tls_ca_file=str(files[CA]),
            tls_client_cert=str(files[CERTIFICATE]),
            tls_client_key=str(files[KEY]),
            require_encryption=True,
        )
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, security=security)
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingsError(
            f"There is no Dask scheduler at {address} (FACESWAP_DASK_SCHEDULER)"
            + (f", or it does not trust the certificate in {files[CERTIFICATE].parent}" if files else ""),
            "start `dask scheduler` there and `faceswap worker` on the hosts, or set it to nothing"
            + ("" if files else "; one with certificates has an address that begins with tls://"),
        ) from error
    with client:
        yield client


def certificates(address: str) -> Mapping[str, Path]:
    """The certificates for connections to a scheduler, by the names of their files; none: they are not encrypted.

    Raises:
        SettingsError: the address asks for certificates and there are none, or the other way round.
    """
    folder = settings().dask_tls
    if address.startswith("tls://") != bool(folder):
        raise SettingsError(
            f"The address {address} asks for certificates, and FACESWAP_DASK_TLS names none"
            if not folder
            else f"FACESWAP_DASK_TLS names certificates, but to {address} nothing would be encrypted",
            f"set FACESWAP_DASK_TLS to a folder with {CA}, {CERTIFICATE} and {KEY}, or correct the address"
            if not folder
            else "begin the address with tls://, or set FACESWAP_DASK_TLS to nothing",
        )
    if not folder:
        return {}
    found = {name: Path(folder).expanduser() / name for name in (CA, CERTIFICATE, KEY)}
    missing = [name for name, file in found.items() if not file.is_file()]
    if missing:
        raise SettingsError(
            f"The folder {folder} (FACESWAP_DASK_TLS) has no {', '.join(missing)}",
            "docs/team.md shows how certificates are made",
        )
    return found


def own_address(scheduler: str) -> str:
    """This machine's address on the network to a scheduler, under which the others reach it; empty: it can't be told.

    Dask would take the card that leads to the internet, or, without one, whatever the machine's own name stands for:
    on Debian its loopback.
    """
    try:
        where = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        if not where.hostname:
            return ""
        found = socket.getaddrinfo(where.hostname, where.port or 8786, type=socket.SOCK_DGRAM)
        kind, _, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect(place)  # sends nothing
            return str(probe.getsockname()[0])
    except (OSError, ValueError):
        return ""


def ask_workers(
    address: str, question: Callable[..., R], *given: Any, only: Collection[str] | None = None
) -> dict[str, R]:
    """What a function says on each worker that has joined, by the worker's address; those lost meanwhile are left out.

    Args:
        address: of the scheduler.
        question: can be pickled; short, since a worker does nothing else meanwhile.
        given: its arguments.
        only: addresses of the workers that are asked; None: all.

    Raises:
        SettingsError: as :func:`connected`.
    """
    with connected(address) as client:
        asked = None if only is None else [one for one in only if one in client.scheduler_info(-1)["workers"]]
        said = client.run(question, *given, workers=asked, on_error="return")
    for worker, answer in said.items():
        if isinstance(answer, Exception):
            logger.warning("The worker %s does not answer: %s", worker, answer)
    return {worker: answer for worker, answer in said.items() if not isinstance(answer, Exception)}
