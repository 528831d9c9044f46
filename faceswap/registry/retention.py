"""Versions and runs that nobody needs any more: which they are, and how they go.

A version with an alias never goes, nor the run that it came from: that run holds its encoder.
"""

import json
import time
from contextlib import suppress
from dataclasses import dataclass

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from faceswap.registry.production.lock import locked
from faceswap.registry.versions import Listed, explained_change, versions
from faceswap.tracking import connect, experiments, explained

_UNFINISHED = "attributes.status != 'FINISHED' and attributes.status != 'RUNNING'"
_DAY = 24 * 3600


@dataclass(frozen=True)
class Retention:
    """What is kept.

    Attributes:
        days: everything younger.
        newest: versions of each identity, besides those with an alias.
    """

    days: float = 30.0
    newest: int = 3

    @property
    def before(self) -> float:
        """What was made earlier may go; seconds since 1970."""
        return time.time() - self.days * _DAY


def old_versions(kept: Retention) -> list[Listed]:
    """Versions without an alias that are neither young nor among the newest of their identity."""
    rows = versions()
    seen: dict[str, int] = {}
    found = []
    for row in rows:  # newest first within each identity
        if row.aliases:
            continue
        seen[row.version.name] = seen.get(row.version.name, 0) + 1
        if seen[row.version.name] > kept.newest and row.created < kept.before:
            found.append(row)
    return found


def digests_of_face_sets(rows: list[Listed]) -> set[str]:
    """Digests of the face sets that versions were trained on."""
    found: set[str] = set()
    for row in rows:
        with suppress(ValueError, AttributeError):
            found |= set(json.loads(row.tags.get("face_sets", "{}")).values())
    return found


def old_runs(kept: Retention, staying: list[Listed]) -> list[Run]:
    """Runs that failed or were killed long ago, of which no version stays."""
    client = connect()
    needed = {row.tags.get("run_id", "") for row in staying}
    with explained("list the runs"):
        runs = client.search_runs(experiments.all_ids(client), _UNFINISHED, max_results=1000)
    return [
        run
        for run in runs
        if run.info.status in {"FAILED", "KILLED"}
        and run.info.run_id not in needed
        and (run.info.end_time or run.info.start_time) / 1000 < kept.before
    ]


def delete_version(row: Listed) -> bool:
    """Delete a version and its files, unless an alias points to it meanwhile; whether it is gone."""
    client, version = connect(), row.version
    with locked(version.name), explained_change(f"delete {version}"):
        aliases = client.get_registered_model(version.name).aliases
        if str(version.version) in {str(number) for number in aliases.values()}:
            return False
        found = client.get_model_version(version.name, str(version.version))
        client.delete_model_version(version.name, str(version.version))
        if found.model_id:
            with suppress(MlflowException):
                client.delete_logged_model(found.model_id)
    return True


def delete_run(run_id: str) -> None:
    """Put a run into MLflow's trash, from which its page can bring it back."""
    client = connect()
    with explained(f"delete the run {run_id}"):
        client.delete_run(run_id)


def running_or_resumable(run_id: str, kept: Retention) -> bool:
    """Whether a run's checkpoints are still of use: it runs, or it ended lately without being finished."""
    client = connect()
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        return error.error_code != "RESOURCE_DOES_NOT_EXIST"  # where MLflow does not say, all stays
    if run.info.status == "FINISHED" or run.info.lifecycle_stage == "deleted":
        return False
    ended = (run.info.end_time or 0) / 1000
    return run.info.status in {"RUNNING", "SCHEDULED"} or ended > kept.before
