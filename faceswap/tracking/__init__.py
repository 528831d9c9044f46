"""Runs in MLflow: what was done, with what, and how it went.

Together with ``faceswap.registry`` the only room that knows MLflow. Its names are imported when they are first used:
MLflow takes a second.
"""

from typing import TYPE_CHECKING

from faceswap.process.lazy import lazily

if TYPE_CHECKING:
    from faceswap.tracking.connection import connect, explained, failures
    from faceswap.tracking.ending import (
        FLOW_RUN,
        end_dead_runs,
        end_run,
        interrupted_run,
        running_flow_runs,
    )
    from faceswap.tracking.runs import Run, run

__all__ = [
    "FLOW_RUN",
    "Run",
    "connect",
    "end_dead_runs",
    "end_run",
    "explained",
    "failures",
    "interrupted_run",
    "run",
    "running_flow_runs",
]
_MODULES = {
    "FLOW_RUN": "ending",
    "Run": "runs",
    "connect": "connection",
    "end_dead_runs": "ending",
    "end_run": "ending",
    "explained": "connection",
    "failures": "connection",
    "interrupted_run": "ending",
    "run": "runs",
    "running_flow_runs": "ending",
}
__getattr__ = lazily(__name__, _MODULES)
