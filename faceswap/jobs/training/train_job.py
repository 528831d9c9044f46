"""Train: face sets in, registered decoder versions out."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from faceswap import registry, tracking
from faceswap.energy import Meter
from faceswap.errors import ConsentError, ConsentUnknown, FaceswapError, SettingsError
from faceswap.evaluation.crispness_calibration import crispness_on
from faceswap.evaluation.fine_detail_making import fine_detail_of
from faceswap.evaluation.means import frames_of, mean_measures
from faceswap.evaluation.model_decoder import ModelDecoder, OwnCrops
from faceswap.evaluation.quick import SwapQuality
from faceswap.faces.faceset import FaceSet
from faceswap.faces.faceset import find as find_face_set
from faceswap.faces.finding.finder import measuring_finder
from faceswap.jobs.evaluate_job import evaluate_one
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import PRIOR, TrainParameters
from faceswap.jobs.preset_choice import crops_of, preset_for
from faceswap.jobs.training import resuming
from faceswap.jobs.training.checkpoint_store import CheckpointStore
from faceswap.jobs.training.observer import Observer
from faceswap.model.device import device, idle_gpu
from faceswap.model.presets import Preset
from faceswap.model.priors.prior import prior_file, take_prior
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.model_files import copy_weights, export
from faceswap.model.training.result import TrainingResult
from faceswap.model.training.trainer import Trainer
from faceswap.output.notify import telling_of_training
from faceswap.process import cards
from faceswap.provenance import audit
from faceswap.provenance.consent.life import Purpose
from faceswap.provenance.consent.record import require_consent
from faceswap.registry import Card, Version, consents
from faceswap.settings import settings
from faceswap.swap.masks.visibility import seen_in_crops

logger = logging.getLogger(__name__)
_TARGETS = 3
"""People that each version is put on when it is first measured; an evaluation takes all."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves: its run, the versions by identity, and the account of the time."""

    run_id: str
    versions: dict[str, Version]
    account: dict[str, float | str | bool]


def load_face_sets(uris: list[str]) -> dict[str, FaceSet]:
    """The face sets by identity; each person's consent must allow training, and no identity may come twice."""
    found: dict[str, FaceSet] = {}
    for uri in uris:
        faces = find_face_set(uri)
        consents.require(faces.identity, Purpose.TRAINING, require_consent(faces.identity, faces.consent))
        if faces.identity in found:
            raise SettingsError(f"Two face sets are of {faces.identity!r}", "give one face set per identity")
        found[faces.identity] = faces
    _warn_of_two_finders(list(found.values()))
    return found


def _warn_of_two_finders(sets: list[FaceSet]) -> None:
    """Landmarks of MediaPipe and of dlib lie up to a hundredth of a face height apart: so do the crops."""
    by_mesh = [faces.identity for faces in sets if faces.detector == "mediapipe"]
    others = [faces.identity for faces in sets if faces.detector != "mediapipe"]
    if by_mesh and others:
        logger.warning(
            "MediaPipe found the faces of %s, dlib those of %s: they are aligned a little differently; "
            "preprocess all with one --detector",
            ", ".join(by_mesh),
            ", ".join(others),
        )


def fit(
    run: tracking.Run,
    parameters: TrainParameters,
    sets: dict[str, FaceSet],
    folder: Path,
    store: CheckpointStore,
    monitor: Monitor,
) -> TrainingResult:
    """Train; what is raised in the main thread, as Ctrl-C does, lets it save and end."""
    recipe = parameters.recipe()
    if len(sets) < 2 and not parameters.freeze_encoder:
        raise SettingsError(
            "One identity alone can't be swapped",
            "give two or more face sets, or a warm start with freeze_encoder",
        )
    data, finder = TrainingData(sets, recipe, seen_in_crops), measuring_finder(settings().detector)
    identities = {name: faces.mean_embedding for name, faces in sets.items()}
    with monitor.progress(f"train {' + '.join(sets)}") as report:
        trainer = Trainer(
            data,
            recipe,
            parameters.options(),
            resuming.checkpoints(folder),
            Observer(run, data, report, monitor, {name: faces.consent for name, faces in sets.items()}),
            quality=SwapQuality(sets, identities, finder, data.views) if len(sets) > 1 else None,
            # the checkpoint brings all weights
            initialize=None if parameters.resume else _warm_start(run, parameters.warm_start, recipe),
            face_sets={name: faces.digest for name, faces in sets.items()},
            run_id=run.run_id,
            saved=store.saved,
        )
        if parameters.resume:
            trainer.resume()
        try:
            return trainer.train()
        finally:
            store.flush()


def _warm_start(run: tracking.Run, spec: str, recipe: Preset) -> Callable[[Autoencoders], None] | None:
    """What gives a fresh model its first weights; where they come from is noted with the run."""
    file = prior_file(recipe) if spec == PRIOR else None
    if file:

        def take(model: Autoencoders) -> None:
            taken = take_prior(model, file)
            run.tags({"warm_start": f"prior {taken.digest[:16]}, {taken.share:.0%} of the weights"})

        return take
    if spec in {"", PRIOR}:
        run.tags({"warm_start": f"none: no prior for preset {recipe.name}" if spec else "none"})
        return None
    version = registry.load(spec)
    encoder, decoder = registry.keras_networks(version)
    run.tags({"warm_start": str(version.version)})
    return lambda model: copy_weights(model, encoder, decoder, recipe)


def register_versions(
    run: tracking.Run,
    parameters: TrainParameters,
    result: TrainingResult,
    sets: dict[str, FaceSet],
    folder: Path,
) -> dict[str, Version]:
    """Export and register each identity's decoder; the first version of an identity goes into production."""
    recipe = parameters.recipe()
    digests = export(result.model, folder / "export")
    own = {name: OwnCrops.of(faces, recipe.geometry, result.views[name]) for name, faces in sets.items()}
    networks = {name: ModelDecoder(result.model, index, own[name]) for index, name in enumerate(sets)}
    cards = {
        name: Card(
            identity=name,
            run_id=run.run_id,
            preset=recipe,
            geometry=recipe.geometry.to_dict(),
            encoder_digest=digests["encoder.keras"],
            decoder_digest=digests[f"decoder_{name}.keras"],
            face_sets={n: {"digest": s.digest, "uri": s.uri} for n, s in sets.items()},
            identities={n: s.mean_embedding.tolist() for n, s in sets.items()},
            consent=require_consent(name, faces.consent),
            **asdict(crispness_on(networks[name], faces)),
            codes=networks[name].packed_codes,
            fine_detail_digest=registry.write_detail(
                fine_detail_of(networks[name], faces), folder / "export" / f"fine_detail_{name}.npz"
            ),
            seconds=round(result.seconds, 1),
        )
        for name, faces in sets.items()
    }
    tags = {"tune_run_id": parameters.tune_run} if parameters.tune_run else {}
    versions = registry.register(run.run_id, folder / "export", cards, tags)
    for version in versions.values():
        registry.alias_after_training(version)
    return versions


def measure_versions(
    run: tracking.Run,
    versions: dict[str, Version],
    sets: dict[str, FaceSet],
    frames: int,
    monitor: Monitor,
) -> None:
    """A first look at what was trained, so that the versions have measures; what fails here ends no training."""
    try:
        for name, version in versions.items():
            others = {other: faces for other, faces in sets.items() if other != name}
            targets = dict(islice(others.items(), _TARGETS))
            found = evaluate_one(registry.load(version), targets, frames, sets[name], monitor=monitor)
            pairs = [one.result for one in found]
            if pairs:
                registry.record_metrics(version, mean_measures(pairs), frames_of(pairs), run.run_id)
    except FaceswapError as error:
        logger.warning("The versions are registered, but not measured: %s", error.message)


def _say_where(parameters: TrainParameters) -> None:
    """On what it trains, and that a GPU does not take part where one seems to be there."""
    if reason := idle_gpu():
        faster = (
            "" if device().backend == "tensorflow" else ", and KERAS_BACKEND=tensorflow is faster on a CPU"
        )
        logger.warning("%s. `faceswap doctor` says what is missing%s", reason, faster)
    else:
        logger.info("Training preset %s on the %s", parameters.recipe().name, device())


@contextmanager
def _leaving_nothing_without_consent(run: tracking.Run) -> Iterator[CheckpointStore]:
    """Where a withdrawal ends the training of the block, its checkpoints, which hold the likeness, go at once."""
    store = CheckpointStore(run.run_id)
    try:
        yield store
    except ConsentUnknown:
        raise  # nobody has withdrawn: it can be resumed
    except ConsentError as error:
        shutil.rmtree(resuming.work_folder(run.run_id), ignore_errors=True)
        store.clear()
        run.tags({"stopped": error.message})
        raise


@contextmanager
def _counting_energy(run: tracking.Run, resumed: bool) -> Iterator[dict[str, float | str | bool]]:
    """Yields a dictionary that holds, after the block, what the training took and cost, with its sessions before.

    It is logged however the block ends: an interrupted training has taken its part.
    """
    account: dict[str, float | str | bool] = {}
    before = run.measured() if resumed else {}
    with Meter(device().accelerated) as meter:
        account["energy"] = meter.source
        run.tags({"energy": meter.source})
        try:
            yield account
        finally:
            used = meter.used()
            values = {"energy_kwh": used.kwh, "cost": used.cost}
            numbers = {k: round(before.get(k, 0.0) + v, 6) for k, v in values.items() if v is not None}
            account |= numbers
            run.metrics(numbers)


def train(parameters: TrainParameters, monitor: Monitor = TERMINAL) -> Trained:
    """Face sets in, registered decoder versions out.

    Interrupted, it saves; a new one with ``resume`` goes on from there.
    """
    if parameters.resume:
        parameters = resuming.of_interrupted(parameters)
    else:
        parameters = resuming.of_retried(parameters, monitor)
    if parameters.resume:
        parameters = resuming.with_its_preset(parameters)
    sets = monitor.step("load face sets", load_face_sets, resuming.face_sets_of(parameters))
    chosen = preset_for(parameters.preset, parameters.minutes, crops_of(sets))
    parameters = parameters.model_copy(update={"preset": chosen})
    name = f"{' + '.join(sets)}, {chosen}, {parameters.options().budget.words}"
    with (
        tracking.run(name, "train", run_id=parameters.resume, tags=monitor.tags()) as run,
        _leaving_nothing_without_consent(run) as store,
        resuming.telling_how_to_go_on(run.run_id),
        telling_of_training(name, run.run_id),
    ):
        folder = resuming.work_folder(run.run_id)
        resuming.remember(parameters, sets, folder)
        store.remember(folder)
        run.parameters(
            {"train": parameters.model_dump(mode="json"), "preset": parameters.recipe().model_dump()}
        )
        run.tags({"budget": parameters.options().budget.model_dump_json(exclude_none=True)})
        if parameters.tune_run:
            run.tags({"tune_run_id": parameters.tune_run})
        for faces in sets.values():
            run.face_set(faces.identity, faces.digest, faces.uri, faces.count("train"))
        # nothing before has looked at the device: CUDA shows the cards that it is told of then
        with (
            monitor.training_slot(parameters.devices),
            cards.taken_here(settings().cards_path, parameters.devices),
        ):
            run.tags({"device": str(device())})
            _say_where(parameters)
            with _counting_energy(run, bool(parameters.resume)) as energy:
                result = monitor.step("train", fit, run, parameters, sets, folder, store, monitor)
        versions = monitor.step("register", register_versions, run, parameters, result, sets, folder)
        if parameters.measure_frames:
            monitor.step(
                "measure the versions",
                measure_versions,
                run,
                versions,
                sets,
                parameters.measure_frames,
                monitor,
            )
        account: dict[str, float | str | bool] = {
            "wall_seconds": round(result.seconds, 1),
            "compile_seconds": round(result.compile_seconds, 1),
            "steps": result.steps,
            "images_per_second": round(result.images_per_second, 1),
            "stopped_early": result.stopped_early,
            "rollbacks": result.rollbacks,
            "device": str(device()),
            **energy,
        }
        run.document(account, "training.json")
        monitor.note(
            f"# {name}\n\n{result.steps} steps in {result.seconds:.0f} s on {device()}\n\n"
            + "\n".join(f"- `{version}`" for version in versions.values())
            + f"\n\n{run.link}",
            key=f"train-{run.run_id[:12]}",
        )
    shutil.rmtree(folder, ignore_errors=True)
    store.clear()
    made = {name: str(version) for name, version in versions.items()}
    audit.record("trained", sets, {"run": run.run_id, "versions": made, **account})
    return Trained(run.run_id, versions, account)
