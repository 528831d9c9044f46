"""preprocess, train, evaluate: the single steps, each a job."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from faceswap import backend
from faceswap.cli.checks import face_sets_exist, identities_exist, media_exist
from faceswap.cli.common import (
    MachinesPreset,
    PresetOption,
    Seed,
    preset_or_machines,
    spoken_errors,
)
from faceswap.cli.options import Shown, at_home, takes_fields_of
from faceswap.cli.running import run as run_job
from faceswap.console import out, say
from faceswap.errors import SettingsError
from faceswap.evaluation.measures import COLUMNS
from faceswap.faces.extraction.options import ExtractionOptions

if TYPE_CHECKING:
    from faceswap.jobs.evaluate_job import Evaluated

_PART, _CHOICE = "Which part", "Which faces"
_BUDGET, _NETWORK, _START = (
    "How long (one of these; default: 4 minutes)",
    "Network and recipe",
    "Where it starts",
)
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
            "side of the stored crops, px; hd256 needs 384 (so where a GPU trains), hd512 768",
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
        from faceswap.jobs.parameters import PreprocessParameters

        parameters = PreprocessParameters(
            identity=identity,
            sources=sources,
            consent=consent,
            reference_photos=reference_photos or [],
            options=_sized(options),
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


def _sized(options: dict[str, Any]) -> ExtractionOptions:
    """The options; without a size, crops as large as the preset of this machine needs them."""
    chosen = ExtractionOptions(**options)
    if "size" in options or not backend.trains_on_gpu():
        return chosen
    from faceswap.model.presets import preset

    return chosen.fitting(preset(backend.preset_here()).geometry)


def train(
    face_sets: Annotated[
        list[str] | None,
        typer.Argument(help="face sets, one per identity: names or folders", callback=at_home),
    ] = None,
    preset: MachinesPreset = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="minutes", rich_help_panel=_BUDGET)] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="optimizer steps", rich_help_panel=_BUDGET)] = None,
    epochs: Annotated[
        float | None, typer.Option(help="passes over the faces", rich_help_panel=_BUDGET)
    ] = None,
    bottleneck: Annotated[
        int | None,
        typer.Option(
            min=4, max=4096, help="width of the code; default: the preset's", rich_help_panel=_NETWORK
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="pairs of each identity a step; default: the preset's",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(max=0.1, help="default: the preset's", rich_help_panel=_NETWORK)
    ] = None,
    seed: Seed = 0,
    patience: Annotated[
        int,
        typer.Option(
            min=0,
            help="validations without a better swap before it winds down; 0: never",
            rich_help_panel=_BUDGET,
        ),
    ] = 0,
    warm_start: Annotated[
        str,
        typer.Option(
            help="prior, a version (NAME@alias, NAME/3), or empty: from nothing", rich_help_panel=_START
        ),
    ] = "prior",
    freeze_encoder: Annotated[
        bool, typer.Option(help="train the decoders only", rich_help_panel=_START)
    ] = False,
    resume: Annotated[
        str,
        typer.Option(
            help="MLflow run id of an interrupted training; with it only a budget may be given",
            rich_help_panel=_START,
        ),
    ] = "",
) -> None:
    """Face sets in, registered decoder versions out."""
    with spoken_errors("a training that has begun is kept, the same command would begin a new one"):
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        from faceswap.jobs.parameters import OF_THE_RUN, PRIOR, TrainParameters

        parameters = TrainParameters(
            face_sets=face_sets or [OF_THE_RUN],
            preset=preset_or_machines(preset) if not resume else preset or backend.SMALL_PRESET,
            minutes=minutes,
            steps=steps,
            epochs=epochs,
            bottleneck=bottleneck,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            patience=patience,
            warm_start=warm_start,
            freeze_encoder=freeze_encoder,
            resume=resume,
        )
        parameters.options()  # budgets that contradict each other
        face_sets_exist(*face_sets or [])
        if warm_start not in {"", PRIOR}:
            identities_exist(warm_start)
        done = run_job("train", parameters)
        say(f"MLflow run {done.run_id}: {done.account}")
        say(f"Versions: {', '.join(map(str, done.versions.values()))}")


def evaluate(
    references: Annotated[list[str], typer.Argument(help="versions: NAME, NAME@alias, NAME/3")],
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="face set of a target; repeatable", callback=at_home)
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="held-out frames of each target")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="all numbers as JSON")] = False,
) -> None:
    """Measure registered versions on held-out faces."""
    with spoken_errors("the same command begins anew"):
        from faceswap.jobs.parameters import EvaluateParameters

        parameters = EvaluateParameters(references=references, targets=targets or [], frames=frames)
        face_sets_exist(*parameters.targets)
        identities_exist(*references)
        found = run_job("evaluate", parameters)
        if as_json:
            sys.stdout.write(json.dumps([one.result.to_report() for one in found], indent=1) + "\n")
            return
        _found(found)


def _found(found: "list[Evaluated]") -> None:
    """The numbers as a table, what they say, and the next command."""
    from faceswap.evaluation.findings import in_words
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


def pretrain(
    preset: PresetOption = "lite",
    out: Annotated[
        str, typer.Option(help="file to write; default: where trainings find it", callback=at_home)
    ] = "",
    steps: Annotated[int, typer.Option(min=1, help="optimizer steps")] = 4000,
    people: Annotated[int, typer.Option(min=2, max=5000, help="fictional people")] = 240,
    seed: Seed = 0,
) -> None:
    """Make the prior that trainings start from: learnt from fictional people, from nothing."""
    with spoken_errors(_GOES_ON):
        from faceswap.jobs.parameters import PretrainParameters
        from faceswap.model.options import PretrainingOptions

        options = PretrainingOptions(steps=steps, people=people, seed=seed)
        parameters = PretrainParameters(preset=preset, out=out, options=options)
        say(f"Written: {run_job('pretrain', parameters)}")


def learn_masks(
    out: Annotated[
        str, typer.Option(help="file to write; default: where swaps find it", callback=at_home)
    ] = "",
    steps: Annotated[int, typer.Option(min=1, help="optimizer steps")] = 6000,
    people: Annotated[int, typer.Option(min=2, max=5000, help="fictional people")] = 900,
    seed: Seed = 0,
) -> None:
    """Make the network that tells faces from hair, glasses and hands: learnt from fictional people, from nothing."""
    with spoken_errors(_GOES_ON):
        from faceswap.jobs.parameters import LearnMasksParameters
        from faceswap.model.options import MaskOptions

        options = MaskOptions(steps=steps, people=people, seed=seed)
        parameters = LearnMasksParameters(out=out, options=options)
        say(f"Written: {run_job('learn_masks', parameters)}")
