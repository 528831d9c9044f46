"""A Dask scheduler with workers, each a process as users start it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass
class Cluster:
    """The scheduler's address, its process, and the workers'."""

    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: list["subprocess.Popen[bytes]"]

    def lose(self, number: int) -> None:
        """Kill a worker with what it is at."""
        _kill(self.workers[number])


@contextmanager
def cluster(
    folder: Path, workers: int = 2, environment: Mapping[str, str] | None = None, tls: Path | None = None
) -> Iterator[Cluster]:
    """Start them; each worker has one process.

    Args:
        folder: gets the workers' home.
        workers: how many.
        environment: further variables of the workers.
        tls: folder of certificates as FACESWAP_DASK_TLS names it; None: plain connections.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{port}"
    # scheduler and workers read what the tests give them to do
    variables = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    of_workers = variables | {"FACESWAP_HOME": str(folder / "worker")} | dict(environment or {})
    words = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    if tls:
        of_workers["FACESWAP_DASK_TLS"] = str(tls)
        words += ["--protocol", "tls", "--tls-ca-file", str(tls / "ca.pem")]
        words += ["--tls-cert", str(tls / "cert.pem"), "--tls-key", str(tls / "key.pem")]
    scheduling = [sys.executable, "-m", "distributed.cli.dask_scheduler", *words]
    scheduler = subprocess.Popen(scheduling, env=variables, cwd=folder)
    command = [sys.executable, "-m", "faceswap.cli", "worker", "--scheduler", address, "--processes", "1"]
    started = [subprocess.Popen(command, env=of_workers, cwd=folder) for _ in range(workers)]
    try:
        yield Cluster(address, scheduler, started)
    finally:
        for process in (*started, scheduler):
            _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """With its children, which a killed parent would leave behind."""
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # first: it would start the others again
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()
