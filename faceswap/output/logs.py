"""Log lines as JSON, one object a line, with the runs that they belong to."""

import datetime as dt
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_runs: list[str] = []
_lock = threading.Lock()


@contextmanager
def of_run(run_id: str) -> Iterator[None]:
    """Log lines of the block, from any thread of this process, carry MLflow's run id."""
    with _lock:
        _runs.append(run_id)
    try:
        yield
    finally:
        with _lock:
            _runs.remove(run_id)


class JsonLines(logging.Formatter):
    """``{"time": …, "level": …, "logger": …, "message": …, "run": …, "flow_run": …}``, the last two where known."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "run": _runs[-1] if _runs else "",
            "flow_run": os.environ.get("PREFECT__FLOW_RUN_ID", ""),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)
