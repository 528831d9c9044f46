"""Tune: face sets in; trials in MLflow, a table, a plot and the best settings out, the winner trained on request."""

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import flow

from faceswap import registry, tracking
from faceswap.errors import SettingsError, TrainingError
from faceswap.registry import Version
from faceswap.tuning.plan import SearchPlan, TrialRecord, read_records, write_atomically
from faceswap.tuning.results import table, winner
from faceswap.tuning.tuner import clean_up, search
from faceswap.tuning.workers import search_as_chief, search_with_workers
from flows import runtime
from flows.parameters import TrainParameters
from flows.parameters_tune import TuneParameters, searches
from flows.train import load_face_sets, train
from flows.tune_board import Board

_WAIT_MINUTES = 10.0


@dataclass(frozen=True)
class Tuned:
    """What a search leaves: its run, its trials best first, the winner, the versions trained from it."""

    run_id: str
    folder: Path
    winner: TrialRecord
    table: list[dict[str, Any]]
    versions: dict[str, Version] = field(default_factory=dict)


@flow(name="tune", flow_run_name="tune-{parameters.preset}-{parameters.space}")
def tune(parameters: TuneParameters) -> Tuned | None:
    """Search good settings for these faces. Killed and started again with the same input, it goes on.

    With a chief's address and a worker's name it only takes part in the chief's search and returns None.
    """
    parameters = parameters.checked()
    role, ip, port = parameters.place()
    sets = load_face_sets(parameters.face_sets)
    plan = parameters.plan(sets)
    folder = searches() / plan.search_id
    if role and role != "chief":
        _take_part(folder, role, ip, port)
        return None
    if parameters.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    name = f"tune {' + '.join(sets)}"
    with tracking.run(name, "tune", run_id=_earlier_run(folder), tags=runtime.prefect_tags()) as run:
        plan = plan.model_copy(update={"run_id": run.run_id})
        plan.save(folder)
        write_atomically(folder / "parameters.json", parameters.model_dump_json(indent=1))
        run.parameters({"tune": parameters.model_dump(mode="json"), "search": plan.search_id})
        for faces in sets.values():
            run.face_set(faces.identity, faces.digest, faces.uri, faces.count("train"))
        with runtime.progress(name) as report:
            board = Board(run, plan, folder, report)
            if role == "chief":
                search_as_chief(folder, ip, port, board.told)
            elif parameters.workers > 1:
                search_with_workers(folder, parameters.workers, board.told)
            else:
                search(folder, plan, board.told)
        records = read_records(folder)
        best = winner(records, plan.tolerance)
        if best is None:
            raise TrainingError(_nothing(records), f"look at the logs under {folder}")
        board.finish(best)
    clean_up(folder)
    versions = _train_winner(parameters, best, run.run_id) if parameters.then_train_minutes else {}
    return Tuned(run.run_id, folder, best, table(records, plan), versions)


def _train_winner(parameters: TuneParameters, best: TrialRecord, run_id: str) -> dict[str, Version]:
    """Train the winner's settings for the whole time; the versions are challengers, and say where they come from."""
    trained = train(
        TrainParameters(
            face_sets=parameters.face_sets,
            preset=parameters.preset,
            changes=best.changes,
            minutes=parameters.then_train_minutes,
            seed=parameters.seed,
            tune_run=run_id,
        )
    )
    for version in trained.versions.values():
        registry.set_alias(version, "challenger")
    return trained.versions


def _take_part(folder: Path, name: str, ip: str, port: int) -> None:
    """Run trials for a chief elsewhere."""
    began = time.monotonic()
    while not (folder / "search.json").exists():
        if time.monotonic() - began > 60 * _WAIT_MINUTES:
            raise SettingsError(
                f"The chief's search does not appear in {folder}",
                "start the chief with the same input, and set FACESWAP_WORK to a folder that all machines share",
            )
        time.sleep(1)
    os.environ |= {
        "KERASTUNER_ORACLE_IP": ip,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": name,
    }
    search(folder, SearchPlan.load(folder))


def _earlier_run(folder: Path) -> str:
    return SearchPlan.load(folder).run_id if (folder / "search.json").exists() else ""


def _nothing(records: list[TrialRecord]) -> str:
    if not records:
        return "The search ended before one trial was over: its total time is too short"
    last = records[-1]
    return f"None of {len(records)} trials worked; trial {last.trial_id} {last.status}: {last.message}"
