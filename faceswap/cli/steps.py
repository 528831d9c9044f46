"""preprocess, train, evaluate: the single steps, each the flow that Prefect serves."""

from typing import Annotated

import typer
from rich.table import Table

from faceswap import backend
from faceswap.cli.common import (
    MachinesPreset,
    PresetOption,
    Seed,
    console,
    preset_or_machines,
    quiet_imports,
    spoken_errors,
)
from faceswap.errors import SettingsError

_GOES_ON = "the same command renders again and goes on from the last checkpoint"


def preprocess(
    sources: Annotated[list[str], typer.Argument(help="videos, pictures, folders, s3:// prefixes")],
    identity: Annotated[str, typer.Option("--name", help="who it is")],
    consent: Annotated[str, typer.Option(help="what allows the use of the likeness, and who gave it")],
    reference_photos: Annotated[
        list[str] | None, typer.Option(help="photo of the person; repeatable")
    ] = None,
    threshold: Annotated[float, typer.Option(min=0.1, max=1.5, help="largest embedding distance")] = 0.6,
    every: Annotated[int, typer.Option(min=1, help="take every N-th frame")] = 1,
    start: Annotated[float | None, typer.Option(min=0, help="first second")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="last second")] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=64,
            max=1024,
            help="side of the stored crops, px: hd256 needs 384, hd512 768; default: 384 where a GPU trains, else 256",
        ),
    ] = None,
    min_face: Annotated[int, typer.Option(min=20, help="smallest face, px")] = 48,
    min_sharpness: Annotated[
        float, typer.Option(min=0, help="least Laplacian variance at 128 px; 0 keeps blurred faces")
    ] = 8.0,
    max_yaw: Annotated[float, typer.Option(min=1, max=90, help="faces turned further are dropped")] = 75.0,
    detector: Annotated[str, typer.Option(help="hog or cnn")] = "hog",
) -> None:
    """Media of one person in, a face set out."""
    with spoken_errors():
        with quiet_imports():
            from faceswap.faces.extraction.options import ExtractionOptions
            from faceswap.faces.faceset import FaceSet
            from faceswap.model.presets import preset as preset_of
            from flows.parameters import PreprocessParameters
            from flows.preprocess import preprocess as flow

        options = {
            "every": every,
            "start": start,
            "end": end,
            "identity_threshold": threshold,
            "size": size or ExtractionOptions().fitting(preset_of(backend.preset_here()).geometry).size,
            "min_face": min_face,
            "min_sharpness": min_sharpness,
            "max_yaw": max_yaw,
            "detector": detector,
        }
        uri = flow(
            PreprocessParameters(
                identity=identity,
                sources=sources,
                consent=consent,
                reference_photos=reference_photos or [],
                options=options,
            ),
        )
        faces = FaceSet.load(uri)
        table = Table(
            title=f"{identity}: {faces.count('train')} faces to train, {faces.count('heldout')} held out"
        )
        table.add_column("what")
        table.add_column("how many", justify="right")
        for reason, count in faces.report.get("counts", {}).items():
            table.add_row(reason, str(count))
        console.print(table)
        console.print(f"Face set: {uri}", soft_wrap=True)
        console.print(f"Next: faceswap train {uri} OTHER_FACE_SET", soft_wrap=True)


def train(
    face_sets: Annotated[
        list[str] | None, typer.Argument(help="face sets, one per identity: names or folders")
    ] = None,
    preset: MachinesPreset = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="budget in minutes")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="budget in steps")] = None,
    epochs: Annotated[float | None, typer.Option(help="budget in epochs")] = None,
    bottleneck: Annotated[int | None, typer.Option(min=4, help="width of the code")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option()] = None,
    seed: Seed = 0,
    patience: Annotated[
        int, typer.Option(min=0, help="validations without a better swap; 0: never stop early")
    ] = 0,
    warm_start: Annotated[
        str, typer.Option(help="what to start from: prior, a version (NAME@alias, NAME/3), or empty")
    ] = "prior",
    freeze_encoder: Annotated[bool, typer.Option(help="train the decoders only")] = False,
    resume: Annotated[
        str,
        typer.Option(help="MLflow run id of an interrupted training; with it only a budget may be given"),
    ] = "",
) -> None:
    """Face sets in, registered decoder versions out."""
    with spoken_errors("a training that has begun is kept, the same command would begin a new one"):
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        with quiet_imports():
            from flows.parameters import OF_THE_RUN, TrainParameters
            from flows.train import train as flow

        done = flow(
            TrainParameters(
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
            ),
        )
        console.print(f"MLflow run {done.run_id}: {done.account}")
        console.print(f"Versions: {', '.join(map(str, done.versions.values()))}")


def evaluate(
    references: Annotated[list[str], typer.Argument(help="versions: NAME, NAME@alias, NAME/3")],
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="face set of a target; repeatable")
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="held-out frames of each target")] = 40,
) -> None:
    """Measure registered versions on held-out faces."""
    with spoken_errors("the same command begins anew"):
        with quiet_imports():
            from flows.evaluate import evaluate as flow
            from flows.parameters import EvaluateParameters

        found = flow(EvaluateParameters(references=references, targets=targets or [], frames=frames))
        for one in found:
            console.print_json(one.result.model_dump_json())


def pretrain(
    preset: PresetOption = "lite",
    out: Annotated[str, typer.Option(help="file to write; default: where trainings find it")] = "",
    steps: Annotated[int, typer.Option(min=1, help="optimizer steps")] = 4000,
    people: Annotated[int, typer.Option(min=2, help="fictional people")] = 240,
    seed: Seed = 0,
) -> None:
    """Make the prior that trainings start from: learnt from fictional people, from nothing."""
    with spoken_errors(_GOES_ON):
        with quiet_imports():
            from flows.parameters import PretrainParameters
            from flows.pretrain import pretrain as flow

        options = {"steps": steps, "people": people, "seed": seed}
        console.print(
            f"Written: {flow(PretrainParameters(preset=preset, out=out, options=options))}", soft_wrap=True
        )


def learn_occlusion(
    out: Annotated[str, typer.Option(help="file to write; default: where swaps find it")] = "",
    steps: Annotated[int, typer.Option(min=1, help="optimizer steps")] = 6000,
    people: Annotated[int, typer.Option(min=2, help="fictional people")] = 750,
    seed: Seed = 0,
) -> None:
    """Make the network that keeps hands and glasses in swaps: learnt from fictional people, from nothing."""
    with spoken_errors(_GOES_ON):
        with quiet_imports():
            from flows.occlusion import learn as flow
            from flows.parameters import LearnOcclusionParameters

        options = {"steps": steps, "people": people, "seed": seed}
        written = flow(LearnOcclusionParameters(out=out, options=options))
        console.print(f"Written: {written}", soft_wrap=True)
