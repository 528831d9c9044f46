"""Several workers on one search: Keras-Tuner's chief and workers, each a process.

``python -m faceswap.tuning.workers FOLDER`` takes part in the search in a folder, in the role that Keras-Tuner's
environment names (``KERASTUNER_ORACLE_IP``, ``…_PORT``, ``KERASTUNER_TUNER_ID``).
"""

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from faceswap.errors import FaceswapError, TrainingError
from faceswap.tuning.plan import SearchPlan, TrialRecord, read_records
from faceswap.tuning.trial import child_environment, interrupt, leave_with_parent
from faceswap.tuning.tuner import search

logger = logging.getLogger(__name__)
Told = Callable[[TrialRecord], None]
_MAX_RESTARTS = 3
_GRACE = 25.0


def search_with_workers(folder: Path, count: int, told: Told = lambda record: None) -> None:
    """Search with a chief and ``count`` workers on this machine; returns when the search is over.

    A worker that dies is started again under its old name: the chief then gives it the same trial, which goes on
    from its checkpoint.

    Args:
        folder: of the search, with its plan.
        count: workers, each of which runs one trial at a time.
        told: called after each trial, in this process.

    Raises:
        TrainingError: the search was stopped by a worker (a full disk, a lost server, nothing works).
    """
    port = free_port()
    names = [f"tuner{i}" for i in range(count)]
    processes = {name: start(folder, name, "127.0.0.1", port) for name in ("chief", *names)}
    restarts = dict.fromkeys(processes, 0)
    known = {record.trial_id for record in read_records(folder)}
    try:
        while any(processes[name].poll() != 0 for name in names):
            time.sleep(0.5)
            _tell(folder, known, told)
            for name, process in list(processes.items()):
                code = process.poll()
                if code in {None, 0}:
                    continue
                if code == 1 or restarts[name] >= _MAX_RESTARTS:
                    raise TrainingError(
                        f"The search's {name} ended: {_last_line(folder, name)}",
                        "correct it and start the same search again: it goes on from here",
                    )
                restarts[name] += 1
                logger.warning("%s died with code %s and is started again", name, code)
                processes[name] = start(folder, name, "127.0.0.1", port)
        _tell(folder, known, told)
    finally:
        _end(processes)


def search_as_chief(folder: Path, ip: str, port: int, told: Told = lambda record: None) -> None:
    """Give out trials to workers on other machines; returns when the search is over and all workers have left.

    A worker that died must be started again under its old name, so that its trial is finished.

    Args:
        folder: of the search; on a disk that all machines share.
        ip, port: where the workers reach this machine.
        told: called after each trial.

    Raises:
        TrainingError: the chief ended with an error.
    """
    known = {record.trial_id for record in read_records(folder)}
    chief = start(folder, "chief", ip, port)
    try:
        while chief.poll() is None:
            time.sleep(1)
            _tell(folder, known, told)
        _tell(folder, known, told)
        if chief.returncode:
            raise TrainingError(
                f"The search's chief ended: {_last_line(folder, 'chief')}",
                "correct it and start the same search again: it goes on from here",
            )
    finally:
        _end({"chief": chief})


def start(folder: Path, name: str, ip: str, port: int) -> "subprocess.Popen[bytes]":
    """Start a chief (by a name with "chief") or a worker; its output goes to ``<folder>/<name>.log``."""
    environment = child_environment() | {
        "KERASTUNER_ORACLE_IP": ip,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": name,
    }
    with (folder / f"{name}.log").open("ab") as log:
        command = [sys.executable, "-m", "faceswap.tuning.workers", str(folder)]
        return subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def free_port() -> int:
    """A TCP port of this machine that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _tell(folder: Path, known: set[str], told: Told) -> None:
    for record in read_records(folder):
        if record.trial_id not in known:
            known.add(record.trial_id)
            told(record)


def _last_line(folder: Path, name: str) -> str:
    lines = (folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "without a word"


def _end(processes: "dict[str, subprocess.Popen[bytes]]") -> None:
    """End all: workers first, so that their trials save; the chief's state is on the disk after every trial."""
    for process in processes.values():
        process.terminate()
    until = time.monotonic() + _GRACE
    for process in processes.values():
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(folder: Path) -> int:
    """Take part; returns the exit code: 1 where the whole search should stop."""
    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    try:
        search(folder, SearchPlan.load(folder))
    except FaceswapError as error:
        sys.stderr.write(f"{error.message} ({error.fix})\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
