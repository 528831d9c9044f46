"""worker: this machine looks for faces and swaps for others."""

import os
import sys
from typing import Annotated

import typer

from faceswap.cli.common import spoken_errors
from faceswap.errors import SettingsError


def worker(
    scheduler: Annotated[
        str, typer.Option(help="tcp:// or tls://HOST:8786; default: the setting FACESWAP_DASK_SCHEDULER")
    ] = "",
    processes: Annotated[int, typer.Option(min=0, help="at a time; 0: one per core")] = 0,
) -> None:
    """Join a Dask scheduler, look for faces and swap until Ctrl-C."""
    with spoken_errors("what this worker had is given to another"):
        from faceswap.dask_cluster import CA, CERTIFICATE, KEY, certificates, own_address
        from faceswap.process.machine import cores
        from faceswap.settings import settings

        address = scheduler or settings().dask_scheduler
        if not address:
            raise SettingsError(
                "No scheduler is named", "start `dask scheduler`, then give its address with --scheduler"
            )
        if any(settings().cache_path.glob("*/*")):
            from faceswap.jobs.upkeep.caches import drop_withdrawn

            drop_withdrawn()
        count = processes or settings().workers or cores()
        words = [address, "--nworkers", str(count), "--nthreads", "1", "--no-dashboard"]
        if own := own_address(address):
            words += ["--host", own]
        if files := certificates(address):
            words += ["--tls-ca-file", str(files[CA])]
            words += ["--tls-cert", str(files[CERTIFICATE]), "--tls-key", str(files[KEY])]
        os.execv(sys.executable, [sys.executable, "-m", "distributed.cli.dask_worker", *words])
