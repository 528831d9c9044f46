"""Runs that others have left: which still run, which process they belong to, and how they end."""

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import mlflow
import psutil
from mlflow.entities import RunTag

from faceswap.process.ids import born
from faceswap.tracking import experiments
from faceswap.tracking.connection import connect, explained

FLOW_RUN = "prefect.root_flow_run"
"""Tag: the Prefect run, without a parent, that a run belongs to."""
PROCESS = "faceswap.process"
"""Tag: the process that a run belongs to."""


def this_process() -> str:
    """This process, as the tag names it."""
    return f"{_node()} {os.getpid()} {born()}"


def _node() -> str:
    """This machine; of containers that share its name each for itself: their numbers of processes differ."""
    with suppress(OSError):  # not on Linux
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    return platform.node()


def _is_gone(process: str) -> bool:
    """Whether a process of this machine, as its run's tag names it, no longer exists."""
    node, pid, then = process.rsplit(" ", 2)
    if node not in {_node(), platform.node()}:  # runs of before name no container
        return False
    try:
        if "@" in then:
            return born(int(pid)) != then
        return (
            abs(psutil.Process(int(pid)).create_time() - float(then)) > 2
        )  # runs of before, or not on Linux
    except psutil.Error:
        return True


def _running(filter_string: str = "") -> list[mlflow.entities.Run]:
    client = connect()
    with explained("list the runs"):
        condition = " and ".join(filter(None, ["attributes.status = 'RUNNING'", filter_string]))
        return list(client.search_runs(experiments.all_ids(client), condition, max_results=1000))


def running_flow_runs() -> dict[str, str]:
    """MLflow run id -> id of the Prefect run it belongs to, of all runs that count as running."""
    found = {run.info.run_id: run.data.tags.get(FLOW_RUN, "") for run in _running()}
    return {run_id: flow_run for run_id, flow_run in found.items() if flow_run}


def end_run(run_id: str, status: str, tags: Mapping[str, str] | None = None) -> None:
    """End a run whose process can't do it any more, with tags that say more.

    Args:
        status: FINISHED, FAILED or KILLED.

    Raises:
        TrackingError: the server does not answer.
    """
    client = connect()
    with explained("end a run"):
        client.log_batch(run_id, tags=[RunTag(k, v) for k, v in (tags or {}).items()])
        client.set_terminated(run_id, status)


def end_dead_runs() -> list[str]:
    """End the runs whose processes on this machine were killed, as FAILED; returns their ids."""
    dead = [run.info.run_id for run in _running() if _is_gone(run.data.tags.get(PROCESS, "elsewhere 0 0"))]
    for run_id in dead:
        end_run(run_id, "FAILED")
    return dead


def interrupted_run(flow_run: str, kind: str) -> str:
    """The newest unfinished run of a kind that a Prefect run has left; empty if there is none."""
    client = connect()
    with explained("list the runs"):
        found = client.search_runs(
            experiments.all_ids(client),
            f"tags.`{FLOW_RUN}` = '{flow_run}' and tags.`faceswap.kind` = '{kind}'"
            " and attributes.status != 'FINISHED'",
            max_results=1,
        )
    return found[0].info.run_id if found else ""
