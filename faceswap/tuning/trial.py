"""A trial in a process of its own: its memory goes with it, and whatever kills it does not kill the search.

``python -m faceswap.tuning.trial FOLDER`` runs the job in a trial's folder; the search starts exactly this. A spawned
process costs some seconds for its imports, which no trial of minutes notices; a forked one would inherit the
threads of the numeric libraries in an unknown state.
"""

import os
import pkgutil
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from faceswap.errors import (
    CheckpointError,
    ConsentError,
    DeviceMemoryError,
    DivergedError,
    FaceswapError,
    StorageError,
    TrackingError,
    TrainingError,
)
from faceswap.files.atomic import write_text
from faceswap.process import cards
from faceswap.process.ids import age
from faceswap.settings import settings
from faceswap.tuning.objective import FAILED
from faceswap.tuning.plan import SearchPlan, Status, TrialJob, TrialRecord, TrialResult, read_record

Task = Callable[[TrialJob, SearchPlan], TrialResult]
_STOPPED = 75
"""Exit code: not the trial's fault (a full disk, a lost server); it may be run again."""
_GRACE = 20.0
"""Seconds that a cancelled trial has for its checkpoint; Prefect kills after 30."""


def run(job: TrialJob, plan: SearchPlan) -> TrialRecord:
    """Run a trial in a new process and wait for it; a trial that is over is only read.

    When this process is interrupted, the trial saves its checkpoint and ends first.

    Raises:
        TrainingError: the disk, a server or the like stopped it; nothing is recorded, it can be run again.
    """
    done = read_record(job.search, job.trial_id)
    if done:
        return done
    write_text(job.folder / "job.json", job.model_dump_json(indent=1))
    began = time.monotonic()
    with (job.folder / "log.txt").open("ab") as log, cards.taken(settings().cards_path) as own:
        command = [sys.executable, "-m", "faceswap.tuning.trial", str(job.folder)]
        # A session of its own: Ctrl-C reaches this process alone, which then lets the trial save.
        process = subprocess.Popen(
            command,
            env=_environment(plan) | cards.visible(own),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:  # Ctrl-C, Prefect's cancellation
            _stop(process)
            raise
    record = read_record(job.search, job.trial_id)
    if record:
        return record
    if code == _STOPPED:
        raise TrainingError(
            f"Trial {job.trial_id} was stopped: {(job.folder / 'stopped.txt').read_text()}",
            "correct it and start the same search again: it goes on from here",
        )
    seconds = time.monotonic() - began
    return record_of(job, plan, _cause(code, job.folder), _last_words(code, job.folder), wall_seconds=seconds)


def record_of(
    job: TrialJob,
    plan: SearchPlan,
    status: Status,
    message: str = "",
    result: TrialResult | None = None,
    wall_seconds: float = 0.0,
) -> TrialRecord:
    """Write down how a trial ended, and return it."""
    record = TrialRecord(
        trial_id=job.trial_id,
        values=job.values,
        changes=plan.space.changes(job.values),
        rung=job.rung,
        continues=job.continues,
        status=status,
        message=message[:4000],
        quality=round(plan.objective.quality(result.measures), 6) if result else FAILED,
        wall_seconds=round(wall_seconds, 2),
        result=result or TrialResult(measures={}),
    )
    write_text(job.folder / "result.json", record.model_dump_json(indent=1))
    return record


def child_environment() -> dict[str, str]:
    """The environment of a child that imports the same code as this process."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}


def _environment(plan: SearchPlan) -> dict[str, str]:
    values = child_environment()
    values.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    values.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several trials may share a GPU
    if plan.threads:
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        values |= dict.fromkeys(names, str(plan.threads))
    return values


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cause(code: int, folder: Path) -> Status:
    text = _tail(folder)
    return "out of memory" if code == -signal.SIGKILL or "bad_alloc" in text else "crashed"


def _last_words(code: int, folder: Path) -> str:
    if code == -signal.SIGKILL:
        return "killed (signal 9): the system had no memory left, or somebody ended the process"
    return f"ended with code {code}; the end of its log:\n{_tail(folder)}"


def _tail(folder: Path, size: int = 1500) -> str:
    data = (folder / "log.txt").read_bytes()[-size:]
    return data.decode(errors="replace").strip()


def main(folder: Path) -> int:
    """Run the job in a trial's folder; returns the exit code."""
    job = TrialJob.model_validate_json((folder / "job.json").read_bytes())
    plan = SearchPlan.load(job.search)
    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    task: Task = pkgutil.resolve_name(plan.task)
    try:
        result = task(job, plan)
    except (StorageError, TrackingError, CheckpointError, ConsentError) as error:
        write_text(job.folder / "stopped.txt", str(error))
        return _STOPPED
    except Exception as error:
        traceback.print_exc()
        record_of(job, plan, _kind(error), _words(error), wall_seconds=age())
        return 1
    result = result.model_copy(update={"peak_memory_mb": round(peak_memory_mb(), 1)})
    record_of(job, plan, "completed", result=result, wall_seconds=age())
    return 0


def peak_memory_mb() -> float:
    """The most memory that this process ever held, MiB.

    On Linux not ``ru_maxrss``: a child begins with its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _kind(error: Exception) -> Status:
    if isinstance(error, DivergedError):
        return "diverged"
    told = f"{type(error).__name__}: {error}"
    # The backends have errors of their own: ResourceExhaustedError, XlaRuntimeError, OutOfMemoryError.
    exhausted = ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory")
    if isinstance(error, MemoryError | DeviceMemoryError) or any(word in told for word in exhausted):
        return "out of memory"
    return "crashed"


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, FaceswapError) else f"{type(error).__name__}: {error}"


def interrupt(_signal: int, _frame: object) -> NoReturn:
    """A signal handler: what is to be saved is saved, then the process ends."""
    raise KeyboardInterrupt


def leave_with_parent() -> None:
    """End this process when its parent is gone: nobody would wait for it, and a new search would start it twice."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
