"""Tune: face sets in; trials in MLflow, a table, a plot and the best settings out, the winner trained on request."""

import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from faceswap import tracking
from faceswap.errors import FaceSetError, SettingsError, TrainingError
from faceswap.faces.faceset import FaceSet
from faceswap.files.atomic import write_text
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import TrainParameters
from faceswap.jobs.preset_choice import PresetName
from faceswap.jobs.training.train_job import load_face_sets, train
from faceswap.jobs.tuning.tune_board import Board
from faceswap.jobs.tuning.tune_parameters import TuneParameters, search_of, searches
from faceswap.registry import Version
from faceswap.tuning.plan import SearchPlan, TrialRecord, read_records
from faceswap.tuning.results import table, winner
from faceswap.tuning.search_findings import in_words, next_command
from faceswap.tuning.tuner import clean_up, search
from faceswap.tuning.workers import search_as_chief, search_with_workers

_WAIT_MINUTES = 10.0


@dataclass(frozen=True)
class Tuned:
    """What a search leaves: its run, its trials best first, the winner, the versions trained from it."""

    run_id: str
    folder: Path
    winner: TrialRecord
    table: list[dict[str, Any]]
    findings: list[str] = field(default_factory=list)
    following: str = ""
    versions: dict[str, Version] = field(default_factory=dict)


def tune(parameters: TuneParameters, monitor: Monitor = TERMINAL) -> Tuned | None:
    """Search good settings for these faces. Killed and started again with the same input, it goes on.

    With a chief's address and a worker's name it only takes part in the chief's search and returns None.
    """
    parameters = parameters.checked()
    plan, folder, sets = _question(parameters, monitor)
    role, ip, port = parameters.place()
    if role and role != "chief":  # the chief holds the slot for all
        _take_part(folder, role, ip, port)
        return None
    with monitor.training_slot(parameters.workers or 1):  # each trial takes a card
        if parameters.fresh:
            shutil.rmtree(folder, ignore_errors=True)
        done = _search(parameters, plan, folder, sets, monitor)
    if not parameters.then_train_minutes:
        return done
    return replace(done, versions=_train_winner(parameters, plan, done, monitor))


def _question(parameters: TuneParameters, monitor: Monitor) -> tuple[SearchPlan, Path, dict[str, FaceSet]]:
    """The search, its folder, and the face sets by identity in its order; with ``resume`` as it was begun.

    Raises:
        FaceSetError: a face set of the search to resume is not there any more.
        SettingsError: there is no such search, or nothing to search.
    """
    if not parameters.resume:
        sets = monitor.step("load face sets", load_face_sets, parameters.face_sets)
        plan = parameters.plan(sets)
        return plan, searches() / plan.search_id, {name: sets[name] for name in plan.digests}
    plan = parameters.interrupted_plan()
    sets = monitor.step("load face sets", load_face_sets, list(plan.face_sets))
    if {name: faces.digest for name, faces in sets.items()} != plan.digests:
        raise FaceSetError(
            f"The face sets {', '.join(plan.face_sets)} are not those the search was begun with",
            "start a new search",
        )
    return plan, search_of(parameters.resume), sets


def _search(
    parameters: TuneParameters,
    plan: SearchPlan,
    folder: Path,
    sets: dict[str, FaceSet],
    monitor: Monitor,
) -> Tuned:
    """Search, as the chief or alone on this machine."""
    role, ip, port = parameters.place()
    searched = ", ".join(dimension.field for dimension in plan.space.dimensions[:3])
    name = f"tune {' + '.join(sets)}, {plan.preset.name}, {searched}"
    with tracking.run(name, "tune", run_id=_earlier_run(folder), tags=monitor.tags()) as run:
        plan = plan.model_copy(update={"run_id": run.run_id})
        plan.save(folder)
        write_text(folder / "parameters.json", parameters.model_dump_json(indent=1))
        run.parameters({"tune": parameters.model_dump(mode="json"), "search": folder.name})
        for faces in sets.values():
            run.face_set(faces.identity, faces.digest, faces.uri, faces.count("train"))
        with monitor.progress(name, "trials") as report:
            board = Board(run, plan, folder, report, monitor)
            workers = parameters.workers or 1
            if role == "chief":
                search_as_chief(folder, ip, port, board.told)
            elif workers > 1:
                search_with_workers(folder, workers, board.told)
            else:
                search(folder, plan, board.told)
        records = read_records(folder)
        best = winner(records, plan.tolerance)
        if best is None:
            raise TrainingError(_nothing(records), f"look at the logs under {folder}")
        rows = table(records, plan)
        findings = in_words(rows, best.changes, plan.preset.model_dump(), plan.tolerance)
        names = list(sets) if parameters.resume else parameters.face_sets
        following = next_command(names, plan.preset.name, best.changes, run.run_id)
        board.finish(best)
        run.tags({"mlflow.note.content": "\n".join([*findings, f"\nNext: `{following}`"])})
    clean_up(folder)
    return Tuned(run.run_id, folder, best, rows, findings, following)


def _train_winner(
    parameters: TuneParameters, plan: SearchPlan, done: Tuned, monitor: Monitor
) -> dict[str, Version]:
    """Train the winner's settings for the whole time; the versions say where they come from."""
    return monitor.job(
        train,
        TrainParameters(
            face_sets=list(plan.face_sets),
            preset=PresetName(plan.preset.name),
            changes=done.winner.changes,
            minutes=parameters.then_train_minutes,
            seed=parameters.seed,
            tune_run=done.run_id,
        ),
    ).versions


def _take_part(folder: Path, name: str, ip: str, port: int) -> None:
    """Run trials for a chief elsewhere."""
    began = time.monotonic()
    while not (folder / "search.json").exists():
        if time.monotonic() - began > 60 * _WAIT_MINUTES:
            raise SettingsError(
                f"The chief's search does not appear in {folder}",
                "start the chief with the same input (on machines of several kinds name the preset, too), and set "
                "FACESWAP_WORK to a folder that all machines share; "
                "while another training runs the chief waits: start the worker again then",
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
