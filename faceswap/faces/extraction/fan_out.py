"""The pieces of an extraction on the workers of a Dask cluster; what comes back is what this machine would have made.

A worker takes a video's segment or a few photos, looks for faces in a folder of its own and returns that folder as
bytes. The plan does not depend on who works, so that the face set is the same to the last bit. What a lost worker had
is given to another.
"""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from faceswap.errors import FaceError, SettingsError
from faceswap.faces.extraction.segments import Segment, work_on
from faceswap.faces.finding.finder import Finder
from faceswap.faces.geometry import Geometry
from faceswap.files import extract, part_of
from faceswap.settings import settings
from faceswap.storage import fetch_file

_CONNECT_SECONDS = 15


def run_on_cluster(
    address: str,
    segments: Sequence[Segment],
    finder: Finder,
    geometry: Geometry,
    origins: Mapping[str, str],
    finished: Callable[[], None],
) -> None:
    """Do segments on a cluster; each one's folder appears here whole.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.5:8786``.
        segments: what is to be done.
        finder, geometry: as for :func:`faceswap.faces.extraction.segments.work_on`.
        origins: path -> s3:// URI of the files that workers can fetch; others they have to find under the same path.
        finished: called after each.

    Raises:
        SettingsError: there is no scheduler at the address.
        FaceError: workers were lost again and again.
    """
    from distributed import Client, as_completed
    from distributed.scheduler import KilledWorker

    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingsError(
            f"There is no Dask scheduler at {address} (FACESWAP_DASK_SCHEDULER)",
            "start `dask scheduler` there and `faceswap worker` on the hosts, or set it to nothing",
        ) from error
    with client:
        tasks = {
            client.submit(worked, segment, finder, geometry, dict(origins), pure=False): segment
            for segment in segments
        }
        for task in as_completed(list(tasks), loop=client.loop):
            try:
                _unpack(task.result(), Path(tasks[task].folder))
            except KilledWorker as error:
                raise FaceError(
                    "Workers were lost again and again, perhaps for want of memory",
                    "give the same command again: it goes on; `faceswap worker --processes 1` needs less memory",
                ) from error
            task.release()
            finished()


def worked(segment: Segment, finder: Finder, geometry: Geometry, origins: Mapping[str, str]) -> bytes:
    """Do a segment on a worker; returns its folder as a tar file."""
    files = tuple((_here(path, origins), name) for path, name in segment.files)
    with tempfile.TemporaryDirectory() as scratch:
        own = replace(segment, folder=str(Path(scratch, "segment")), files=files)
        work_on(own, finder, geometry)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(own.folder, ".")
        return packed.getvalue()


def _here(path: str, origins: Mapping[str, str]) -> str:
    if path in origins and not Path(path).exists():
        return str(fetch_file(origins[path], settings().cache_path / "media"))
    return path


def _unpack(content: bytes, folder: Path) -> None:
    part = part_of(folder)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            extract(archive, part)
        part.rename(folder)
    except OSError:
        if not (folder / "rows.json").exists():  # else another process was faster
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
