"""preprocess, train, evaluate: the single steps, each a job."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from faceswap.cli.checks import face_sets_exist, identities_exist, media_exist
from faceswap.cli.common import (
    MachinesPreset,
    PresetOption,
    spoken_errors,
)
from faceswap.cli.options import Shown, at_home, takes_fields_of
from faceswap.cli.running import run as run_job
from faceswap.errors import SettingsError
from faceswap.evaluation.grading.measures import COLUMNS
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.jobs.parameters import (
    OF_THE_RUN,
    PRIOR,
    EvaluateParameters,
    LearnMasksParameters,
    PreprocessParameters,
    PretrainParameters,
    TrainParameters,
)
from faceswap.model.options import MaskOptions, PretrainingOptions
from faceswap.output.console import out, say

if TYPE_CHECKING:
    from faceswap.jobs.evaluate_job import Evaluated

_PART, _CHOICE = "Which part", "Which faces"
_BUDGET, _NETWORK, _START = (
    "How long (one of these; default: 4 minutes)",
    "Network and recipe",
    "Where it starts",
)
_REPORTS = "Checkpoints and measures"
_GOES_ON = "the same command renders again and goes on from the last checkpoint"


@takes_fields_of(
    ExtractionOptions,
    {
        "every": Shown("videos: take every N-th frame", _PART),
        "start": Shown("videos: first second", _PART),
        "end": Shown("videos: last second", _PART),
        "identity_threshold": Shown("largest embedding distance to a photo's person", _CHOICE, "threshold"),
        "min_face": Shown("least height of a face (brows to lower lip), px", _CHOICE),
        "min_sharpness": Shown("least Laplacian variance at 128 px; 0 keeps blurred faces", _CHOICE),
        "max_yaw": Shown("faces turned further are dropped, degrees", _CHOICE),
        "turn": Shown("degrees clockwise, if heads lie on their side", _CHOICE),
        "max_faces": Shown("most faces of a set, evenly chosen", _CHOICE),
        "size": Shown(
            "side of the stored crops, px; hd512 needs 896",
            "Crops",
        ),
        "detector": Shown("what finds faces; cnn wants a GPU build of dlib", "Crops"),
    },
)
def preprocess(
    sources: Annotated[
        list[str], typer.Argument(help="videos, pictures, folders, s3:// prefixes", callback=at_home)
    ],
    identity: Annotated[str, typer.Option("--name", help="who it is")],
    consent: Annotated[str, typer.Option(help="what allows the use of the likeness, and who gave it")],
    reference_photos: Annotated[
        list[str] | None,
        typer.Option(
            help="photo of the person: everyone else is dropped; repeatable",
            callback=at_home,
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    *,
    options: dict[str, Any],
) -> None:
    """Media of one person in, a face set out."""
    with spoken_errors():
        parameters = PreprocessParameters(
            identity=identity,
            sources=sources,
            consent=consent,
            reference_photos=reference_photos or [],
            options=ExtractionOptions(**options),
        )
        media_exist(*sources, *parameters.reference_photos)
        uri = run_job("preprocess", parameters)
        from faceswap.faces.faceset import FaceSet

        faces = FaceSet.load(uri)
        table = Table(
            title=f"{identity}: {faces.count('train')} faces to train, {faces.count('heldout')} held out"
        )
        table.add_column("what")
        table.add_column("how many", justify="right")
        for reason, count in faces.report.get("counts", {}).items():
            table.add_row(reason, str(count))
        out().print(table)
        say(f"Face set: {uri}")
        say(f"Next: faceswap train {uri} OTHER_FACE_SET")


@takes_fields_of(
    TrainParameters,
    {
        "minutes": Shown("minutes", _BUDGET),
        "steps": Shown("optimizer steps", _BUDGET),
        "epochs": Shown("passes over the faces", _BUDGET),
        "patience": Shown("validations without a better swap before it winds down; 0: never", _BUDGET),
        "bottleneck": Shown("width of the code; default: the preset's", _NETWORK),
        "batch_size": Shown("pairs of each identity a step; default: the preset's", _NETWORK),
        "learning_rate": Shown("default: the preset's", _NETWORK),
        "seed": Shown("of the batches and of the initial weights", _NETWORK),
        "warm_start": Shown("prior, a version (NAME@alias, NAME/3), or empty: from nothing", _START),
        "freeze_encoder": Shown("train the decoders only", _START),
        "resume": Shown(
            "MLflow run id of an interrupted training; with it only a budget may be given", _START
        ),
        "devices": Shown("GPUs that train together (JAX)", _NETWORK),
        "checkpoint_seconds": Shown("a kill loses at most this much", _REPORTS),
        "validate_seconds": Shown("between validations and previews", _REPORTS),
        "measure_frames": Shown("held-out frames of each target that the versions are measured on", _REPORTS),
    },
)
def train(
    face_sets: Annotated[
        list[str] | None,
        typer.Argument(help="face sets, one per identity: names or folders", callback=at_home),
    ] = None,
    preset: MachinesPreset = None,
    *,
    options: dict[str, Any],
) -> None:
    """Face sets in, registered decoder versions out."""
    with spoken_errors("a training that has begun is kept, the same command would begin a new one"):
        resume = options.get("resume")
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        parameters = TrainParameters(
            face_sets=face_sets or [OF_THE_RUN],
            preset=preset,
            **options,
        )
        parameters.options()  # budgets that contradict each other
        face_sets_exist(*face_sets or [])
        if parameters.warm_start not in {"", PRIOR}:
            identities_exist(parameters.warm_start)
        done = run_job("train", parameters)
        say(f"MLflow run {done.run_id}: {done.account}")
        say(f"Versions: {', '.join(map(str, done.versions.values()))}")


@takes_fields_of(EvaluateParameters, {"frames": Shown("held-out frames of each target", "What is measured")})
def evaluate(
    references: Annotated[list[str], typer.Argument(help="versions: NAME, NAME@alias, NAME/3")],
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="face set of a target; repeatable", callback=at_home)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="all numbers as JSON")] = False,
    *,
    options: dict[str, Any],
) -> None:
    """Measure registered versions on held-out faces."""
    with spoken_errors("the same command begins anew"):
        parameters = EvaluateParameters(references=references, targets=targets or [], **options)
        face_sets_exist(*parameters.targets)
        identities_exist(*references)
        found = run_job("evaluate", parameters)
        if as_json:
            sys.stdout.write(json.dumps([one.result.to_report() for one in found], indent=1) + "\n")
            return
        _found(found)


def _found(found: "list[Evaluated]") -> None:
    """The numbers as a table, what they say, and the next command."""
    from faceswap.evaluation.grading.findings import in_words
    from faceswap.registry import Stage, at

    table = Table(title="Measured on held-out frames")
    table.add_column("version → target")
    for measure in COLUMNS:
        table.add_column(measure.short, justify="right")
    table.add_column("frames", justify="right")
    for one in found:
        numbers = (measure.shown(getattr(one.result, measure.key)) for measure in COLUMNS)
        table.add_row(f"{one.version} → {one.result.target}", *numbers, str(one.result.frames))
    out().print(table)
    for version in dict.fromkeys(one.version for one in found):
        say(f"{version}:")
        for sentence in in_words([one.result for one in found if one.version == version]):
            say(f"  {sentence}")
        following = f"faceswap swap TARGET --reference {version} --out FILE"
        if at(version.name, Stage.PRODUCTION) != version:
            following = f"faceswap promote {version}"
        say(f"  Next: {following}")


_LEARNT = {
    "steps": Shown("optimizer steps", "How much"),
    "people": Shown("fictional people", "How much"),
    "seed": Shown("of the people and of the initial weights", "How much"),
}


@takes_fields_of(
    PretrainingOptions,
    {
        **_LEARNT,
        "scenes": Shown("scenes each is seen in", "How much"),
        "learning_rate": Shown("at the beginning; half of it is enough with --start", "How much"),
    },
)
def pretrain(
    preset: PresetOption = "lite",
    out: Annotated[
        str, typer.Option(help="file to write; default: where trainings find it", callback=at_home)
    ] = "",
    start: Annotated[
        str,
        typer.Option(help="prior to begin from, another view's too; default: from nothing", callback=at_home),
    ] = "",
    devices: Annotated[int, typer.Option(min=1, max=64, help="GPUs that train together (JAX)")] = 1,
    *,
    options: dict[str, Any],
) -> None:
    """Make the prior that trainings start from: learnt from fictional people."""
    with spoken_errors(_GOES_ON):
        parameters = PretrainParameters(
            preset=preset, out=out, start=start, devices=devices, options=PretrainingOptions(**options)
        )
        say(f"Written: {run_job('pretrain', parameters)}")


@takes_fields_of(MaskOptions, _LEARNT)
def learn_masks(
    out: Annotated[
        str, typer.Option(help="file to write; default: where swaps find it", callback=at_home)
    ] = "",
    *,
    options: dict[str, Any],
) -> None:
    """Make the network that tells faces from hair, glasses and hands: learnt from fictional people, from nothing."""
    with spoken_errors(_GOES_ON):
        parameters = LearnMasksParameters(out=out, options=MaskOptions(**options))
        say(f"Written: {run_job('learn_masks', parameters)}")
