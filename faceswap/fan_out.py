"""Pieces of long work on the workers of a Dask cluster, and what every kind of piece needs there.

Who cuts the work into pieces decides what comes out: the plan does not depend on who works, and what a lost worker was
at is given to another. Where nobody waits for a piece any more, since the command was cancelled or its machine is gone,
the worker that is at it is told so and stops.
"""

import logging
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import faceswap
from faceswap import storage
from faceswap.dask_cluster import connected
from faceswap.errors import ClusterError
from faceswap.settings import settings

logger = logging.getLogger(__name__)
_AHEAD = 2
"""Pieces that are given out for each thread of the cluster: one is done, one waits. Results do not pile up on the
workers where this machine is slower than they are. Not measured."""
_UNREADABLE = "deserialization of the task graph"
"""Words of Dask's scheduler where it lacks a module of the work; the error is a RuntimeError, as others are."""
P = TypeVar("P")
R = TypeVar("R")


def fan_out(address: str, work: Callable[[P], R], pieces: Iterable[P]) -> Generator[tuple[P, R], None, None]:
    """Do pieces on a cluster; yields each with its result, as they are done.

    Close the generator to cancel (``contextlib.closing``): what nobody has begun is never begun, and for what is being
    done :func:`nobody_waits` is true.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.5:8786``.
        work: can be pickled, as can pieces and results.
        pieces: taken as workers get free.

    Raises:
        SettingsError: there is no scheduler at the address, or it wants other certificates.
        ClusterError: workers were lost again and again, the scheduler is gone, or a worker runs another version.
    """
    from distributed import Future, as_completed
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    waiting, tasks = iter(pieces), dict[Future, P]()
    with connected(address) as client:
        if not client.nthreads():
            logger.warning(
                "No worker has joined the scheduler at %s yet: the work waits for "
                "`faceswap worker --scheduler %s`",
                address,
                address,
            )
        done = as_completed(loop=client.loop)
        try:
            while True:
                room = _AHEAD * max(1, sum(client.nthreads().values()))
                while len(tasks) < room and (piece := next(waiting, None)) is not None:
                    task = client.submit(_done, faceswap.__version__, work, piece, pure=False)
                    tasks[task] = piece
                    done.add(task)
                if not tasks:
                    return
                task = next(done)
                result = task.result()
                piece = tasks.pop(task)
                task.release()
                yield piece, result
        except KilledWorker as error:
            raise ClusterError(
                "Workers were lost again and again, perhaps for want of memory",
                "give the same command again: it goes on; `faceswap worker --processes 1` needs less memory",
            ) from error
        except RuntimeError as error:
            if _UNREADABLE not in str(error):
                raise
            raise ClusterError(
                f"The Dask scheduler at {address} can't read the work that it is given",
                "start `dask scheduler` in the same environment as faceswap, of the same version",
            ) from error
        except (CancelledError, OSError) as error:
            of_piece = isinstance(error, OSError) and not isinstance(error, CommClosedError)
            if of_piece and client.status == "running":
                raise
            raise ClusterError(
                f"The Dask scheduler at {address} does not answer any more",
                "start it again, then give the same command: it goes on",
            ) from error


def nobody_waits() -> Callable[[], bool]:
    """A function that tells whether the piece that this worker is at is wanted no more; elsewhere it always is.

    Cheap: it asks nobody. Call this in the thread that does the piece, and the function in any.
    """
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except (ValueError, KeyError):
        return lambda: False

    def told() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    return told


@contextmanager
def at_hand(path: str, origin: str, size: int) -> Iterator[Path]:
    """A file that the piece of another machine names, for a block: from S3, or else under the same path.

    Args:
        path: where that machine has it.
        origin: its s3:// URI; empty: it has none.
        size: its bytes.

    Raises:
        ClusterError: it is not there, or is another file.
        StorageError: it can't be fetched.
    """
    place = storage.fetch_file(origin, settings().cache_path / "media") if origin else Path(path)
    try:
        found = place.stat().st_size if place.exists() else None
        if found != size:
            what = f"has no file {path}" if found is None else f"has another file as {path}"
            raise ClusterError(
                f"The worker {socket.gethostname()} {what}",
                "name sources by their s3:// URIs, or keep them in a folder that all machines share under one path",
            )
        yield place
    finally:
        if origin:
            storage.release(place)  # a worker lives long


def _done(version: str, work: Callable[[P], R], piece: P) -> R:
    """On a worker: the result of a piece."""
    if version != faceswap.__version__:
        raise ClusterError(
            f"The worker {socket.gethostname()} runs faceswap {faceswap.__version__}, not {version}",
            "install the same on all machines: another version may make something else",
        )
    return work(piece)
