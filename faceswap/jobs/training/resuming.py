"""What an interrupted training leaves on this machine, and how it is gone on with."""

import fcntl
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from faceswap import storage, tracking
from faceswap.errors import ConsentError, ConsentUnknown, DivergedError, SettingsError
from faceswap.faces.faceset import FaceSet
from faceswap.jobs.monitor import Monitor
from faceswap.jobs.parameters import OF_THE_RUN, TrainParameters
from faceswap.jobs.training.checkpoint_store import CheckpointStore
from faceswap.model.presets import Preset
from faceswap.model.training.checkpoints import Checkpoints
from faceswap.settings import settings

logger = logging.getLogger(__name__)
_BUDGET = ("minutes", "steps", "epochs")
_PARAMETERS, _FACE_SETS = "parameters.json", "face_sets.json"


def work_folder(run_id: str) -> Path:
    """Where a training keeps its checkpoints until its versions are registered."""
    return settings().work_path / "train" / run_id


def checkpoints(folder: Path) -> Path:
    """Where in a work folder the checkpoints are."""
    return folder / "checkpoints"


def remember(parameters: TrainParameters, sets: Mapping[str, FaceSet], folder: Path) -> None:
    """Keep what a training was started with: its parameters, and which face sets their names meant on that day.

    Raises:
        StorageError: the folder can't be written.
    """
    places = [s.uri if storage.is_s3(s.uri) else str(Path(s.uri).resolve()) for s in sets.values()]
    storage.write_bytes(str(folder / _FACE_SETS), json.dumps(places).encode())
    storage.write_bytes(str(folder / _PARAMETERS), parameters.model_dump_json(indent=1).encode())


def face_sets_of(parameters: TrainParameters) -> list[str]:
    """The face sets to train on; of a training that goes on those it began with, whatever was preprocessed since."""
    file = work_folder(parameters.resume) / _FACE_SETS
    if parameters.resume and file.exists():
        try:
            return TypeAdapter(list[str]).validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            logger.warning(
                "%s is damaged: the face sets are those that %s mean today (%s)",
                file,
                ", ".join(parameters.face_sets),
                _first_line(error),
            )
    return parameters.face_sets


def of_retried(parameters: TrainParameters, monitor: Monitor) -> TrainParameters:
    """With ``resume`` filled in where this is a run's second try and the first left a checkpoint."""
    root = monitor.root()
    found = tracking.interrupted_run(root, "train") if root else ""
    try:
        begun = _begun(found) if found else None
    except SettingsError as error:
        logger.warning("%s; the training begins anew", error.message)
        begun = None
    # where none is named it stays what this machine's was then
    asked = parameters.model_copy(update={"preset": parameters.preset or (begun and begun.preset)})
    same = begun and begun.model_copy(update={"resume": ""}) == asked
    return asked.model_copy(update={"resume": found}) if same else parameters


def of_interrupted(parameters: TrainParameters) -> TrainParameters:
    """What the training to resume was started with; where another budget is given, with that one.

    Raises:
        SettingsError: it left no checkpoint here, or options are given that it can't take any more.
    """
    begun = _begun(parameters.resume)
    if begun is None:
        raise SettingsError(
            f"Run {parameters.resume} left no checkpoint that can be read under {settings().work_path}",
            "only an interrupted training can be resumed: on the machine (or with the FACESWAP_WORK) it ran on, "
            "or with the FACESWAP_CHECKPOINTS that it was started with",
        )
    budget = {name: value for name in _BUDGET if (value := getattr(parameters, name)) is not None}
    for name, field in TrainParameters.model_fields.items():
        untouched = [OF_THE_RUN] if name == "face_sets" else field.get_default(call_default_factory=True)
        value, its_own = getattr(parameters, name), getattr(begun, name)
        if name not in {"resume", *_BUDGET} and value not in (untouched, its_own):
            raise SettingsError(
                f"{name} can't change while run {parameters.resume} goes on: it began with {str(its_own)!r}",
                f"leave {name} out (only minutes, steps or epochs may be given), or start a new training",
            )
    changes = dict.fromkeys(_BUDGET) | budget if budget else {}
    return begun.model_copy(update={**changes, "resume": parameters.resume})


def with_its_preset(parameters: TrainParameters) -> TrainParameters:
    """Of a training that goes on: with the preset of that name as its checkpoint knows it, whatever it is today."""
    state = Checkpoints(checkpoints(work_folder(parameters.resume))).latest()
    try:
        stored = Preset.model_validate(state.preset).model_dump() if state else {}
    except ValidationError:  # the trainer says that it does not fit
        stored = {}
    today = parameters.recipe().model_dump()
    changed = {name: value for name, value in stored.items() if value != today[name]}
    return parameters.model_copy(update={"changes": parameters.changes | changed}) if changed else parameters


def _begun(run_id: str) -> TrainParameters | None:
    folder = work_folder(run_id)
    CheckpointStore(run_id).bring(folder, checkpoints(folder))
    file = folder / _PARAMETERS
    if not file.exists() or not Checkpoints(checkpoints(folder)).latest():
        return None
    try:
        return TrainParameters.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SettingsError(
            f"{file}, which says what run {run_id} was started with, is damaged: {_first_line(error)}",
            "start a new training",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


@contextmanager
def telling_how_to_go_on(run_id: str) -> Iterator[None]:
    """Say how the training of the block is resumed: when it starts, and with whatever ends it too early."""
    command = f"faceswap train --resume {run_id}"
    logger.info("Should this training be interrupted, `%s` goes on with it", command)
    try:
        yield
    except BaseException as error:
        # it would diverge again; nobody may go on, unless that could only not be told
        over = isinstance(error, DivergedError | ConsentError) and not isinstance(error, ConsentUnknown)
        if not over and Checkpoints(checkpoints(work_folder(run_id))).latest():
            error.add_note(f"`{command}` goes on with the training")
        raise


@contextmanager
def going_on(kind: str, settled_by: Mapping[str, Any]) -> Iterator[Path]:
    """A work folder that is found again when the same is asked for again; it is removed when the block ends well.

    Args:
        kind: of work.
        settled_by: all that the result depends on, as JSON takes it.

    Raises:
        SettingsError: the same work is being done at the moment.
    """
    key = json.dumps([dict(settled_by), settings().tracking], sort_keys=True)
    folder = settings().work_path / kind / hashlib.sha256(key.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                f"The same {kind} runs already, in {folder}", "wait for it, or choose another seed"
            ) from error
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def run_of(folder: Path) -> str:
    """MLflow run id of the work that a folder of :func:`going_on` holds; empty: none was begun."""
    found = Checkpoints(checkpoints(folder)).latest()
    return found.run_id if found else ""
