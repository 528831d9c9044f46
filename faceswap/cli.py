"""The command line: thin, it checks the words and calls the flows that Prefect serves."""

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from faceswap.errors import ConsentError, FaceswapError, SettingsError
from faceswap.settings import settings

if TYPE_CHECKING:
    from flows.parameters import PipelineParameters

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help=__doc__
)
console = Console()
_errors = Console(stderr=True)
T = TypeVar("T")

People = Annotated[
    list[str], typer.Argument(metavar="NAME=PATH...", help="two or more people and their media")
]
Consents = Annotated[
    list[str],
    typer.Option("--consent", help='what allows the use: "TEXT" for all, or NAME="TEXT"; repeatable'),
]
Out = Annotated[Path, typer.Option(help="folder for report, pictures and video")]
_DEMO = ("emeric", "bram", "corin", "fenn", "dalia", "ada")
"""The cast in the order in which the demo takes them: the first have no hair beside the face."""
Minutes = Annotated[float, typer.Option(min=0.05, help="training time")]
PresetOption = Annotated[str, typer.Option(help="architecture and recipe: lite, original")]
Seed = Annotated[int, typer.Option(min=0)]


@contextmanager
def _spoken_errors() -> Iterator[None]:
    """Errors meant for the user end the command with their message; others keep their traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.basicConfig(level=settings().log_level, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "prefect", "mlflow", "alembic", "botocore", "absl", "matplotlib", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        yield
    except FaceswapError as error:
        _errors.print(f"[bold red]{type(error).__name__}[/]: {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        _errors.print("[bold red]SettingsError[/]: " + "\n  ".join(lines), highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        _errors.print("Interrupted; what was finished is kept, the same command goes on from there.")
        raise typer.Exit(130) from error


def pairs(words: list[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` words as a dictionary.

    Raises:
        SettingsError: a word has no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name or not value:
            raise SettingsError(f"{word!r} is not NAME={what}", f"write for example ada={what.lower()}")
        if name in found:
            raise SettingsError(f"The name {name!r} is given twice", "every identity needs a name of its own")
        found[name] = value
    return found


def consents(words: list[str], names: list[str]) -> dict[str, str]:
    """The consent statement of each name; a statement without a name holds for all."""
    general = [w for w in words if w.partition("=")[0] not in names]
    if len(general) > 1:
        raise SettingsError(
            "Several consents without a name are given", 'write --consent NAME="…" for each person'
        )
    found = dict.fromkeys(names, general[0]) if general else {}
    found |= {w.partition("=")[0]: w.partition("=")[2] for w in words if w not in general}
    for name in names:
        if not found.get(name, "").strip():
            raise ConsentError(
                f"No consent is recorded for {name!r}", f'add --consent {name}="what allows the use"'
            )
    return found


@app.command()
def demo(
    out: Out = Path("demo"),
    minutes: Minutes = 2.0,
    people: Annotated[int, typer.Option(min=2, max=6, help="how many of the cast")] = 2,
    seconds: Annotated[float, typer.Option(min=4, help="length of each rendered video")] = 10.0,
    seed: Seed = 0,
) -> None:
    """The whole job on fictional people: render, extract, train, evaluate, register, swap. No media needed."""
    with _spoken_errors():
        from faceswap.people import FICTIONAL, write_people
        from flows.parameters import PipelineParameters

        started = time.monotonic()
        names = list(_DEMO[:people])
        videos = write_people(out / "people", names, "video", seconds=seconds, seed=seed)
        _run_pipeline(
            PipelineParameters(
                people={name: str(path) for name, path in videos.items()},
                consent=dict.fromkeys(names, FICTIONAL),
                fictional=True,
                out=str(out),
                minutes=minutes,
                seed=seed,
            ),
            started,
        )


@app.command()
def run(
    people: People,
    consent: Consents = [],  # noqa: B006  # Typer needs the value itself
    out: Out = Path("out"),
    minutes: Minutes = 4.0,
    preset: PresetOption = "lite",
    reference_photos: Annotated[
        list[str] | None, typer.Option(help="NAME=PHOTO: keep only this person; repeatable")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="take every N-th frame")] = 1,
    bottleneck: Annotated[
        int | None, typer.Option(min=4, help="width of the code; default: the preset's")
    ] = None,
    seed: Seed = 0,
) -> None:
    """The whole job on your own media of consenting people."""
    with _spoken_errors():
        named = pairs(people, "PATH")
        if len(named) < 2:
            raise SettingsError("One person alone can't be swapped", "give two or more NAME=PATH")
        photos: dict[str, list[str]] = {}
        for word in reference_photos or []:
            name, _, path = word.partition("=")
            if name not in named or not path:
                raise SettingsError(
                    f"--reference-photos {word!r} names none of {', '.join(named)}", "write NAME=PHOTO"
                )
            photos.setdefault(name, []).append(path)
        statements = consents(consent, list(named))
        from flows.parameters import PipelineParameters

        _run_pipeline(
            PipelineParameters(
                people=named,
                consent=statements,
                reference_photos=photos,
                out=str(out),
                minutes=minutes,
                preset=preset,
                bottleneck=bottleneck,
                seed=seed,
                options={"every": every},
            ),
            time.monotonic(),
        )


def _run_pipeline(parameters: "PipelineParameters", started: float) -> None:
    from flows.pipeline import pipeline

    report = Path(_flow(pipeline, parameters))
    values = json.loads((report.parent / "report.json").read_text())
    table = Table(title="Measured on held-out frames")
    columns = {
        "identity_distance": "identity",
        "identity_top1": "top-1",
        "lip_gap_correlation": "lips",
        "pose_error_degrees": "pose °",
        "sharpness": "sharp",
        "reconstruction_ssim": "SSIM",
    }
    table.add_column("reference → target")
    for title in columns.values():
        table.add_column(title, justify="right")
    for row in values["pairs"]:
        numbers = [f"{row[key]:.2f}" if row[key] is not None else "–" for key in columns]
        table.add_row(f"{row['reference']} → {row['target']}", *numbers)
    console.print(table)
    console.print(
        "identity: distance to the reference, below 0.6 is the same person · top-1: share nearest to the reference\n"
        "lips: correlation of the lip gap with the target's · pose: error in degrees · sharp: 1 is as the real face",
        style="dim",
    )
    training = values["training"]
    console.print(
        f"{training['steps']} steps in {training['wall_seconds']:.0f} s, {training['images_per_second']:.0f} images/s "
        f"on {training['device']}; all in {time.monotonic() - started:.0f} s"
    )
    out = report.parent
    first = next(iter(values["versions"].values()))
    console.print(f"\nLook at [bold]{report}[/], {out / 'before_after.png'} and {out / 'swap.mp4'}")
    console.print(f"Next: faceswap swap PICTURE_OR_VIDEO --reference {first} --out FILE; faceswap models")


def _flow(flow: Callable[[Any], T], parameters: Any) -> T:
    """Run a flow here. Prefect starts a temporary server where none is set."""
    return flow(parameters)


@app.command()
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
    detector: Annotated[str, typer.Option(help="hog or cnn")] = "hog",
) -> None:
    """Media of one person in, a face set out."""
    with _spoken_errors():
        from faceswap.faces.faceset import FaceSet
        from flows.parameters import PreprocessParameters
        from flows.preprocess import preprocess as flow

        options = {
            "every": every,
            "start": start,
            "end": end,
            "identity_threshold": threshold,
            "detector": detector,
        }
        uri = _flow(
            flow,
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


@app.command()
def train(
    face_sets: Annotated[list[str] | None, typer.Argument(help="face sets, one per identity")] = None,
    preset: PresetOption = "lite",
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
    warm_start: Annotated[str, typer.Option(help="version to start from: NAME@alias or NAME/3")] = "",
    freeze_encoder: Annotated[bool, typer.Option(help="train the decoders only")] = False,
    resume: Annotated[str, typer.Option(help="MLflow run id of an interrupted training")] = "",
) -> None:
    """Face sets in, registered decoder versions out."""
    with _spoken_errors():
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        from flows.parameters import TrainParameters
        from flows.train import train as flow

        done = _flow(
            flow,
            TrainParameters(
                face_sets=face_sets or ["(of the run)"],
                preset=preset,
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


@app.command()
def evaluate(
    references: Annotated[list[str], typer.Argument(help="versions: NAME, NAME@alias, NAME/3")],
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="face set of a target; repeatable")
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="held-out frames of each target")] = 40,
) -> None:
    """Measure registered versions on held-out faces."""
    with _spoken_errors():
        from flows.evaluate import evaluate as flow
        from flows.parameters import EvaluateParameters

        found = _flow(flow, EvaluateParameters(references=references, targets=targets or [], frames=frames))
        for one in found:
            console.print_json(one.result.model_dump_json())


@app.command()
def swap(
    target: Annotated[str, typer.Argument(help="picture, folder or video to edit")],
    reference: Annotated[str, typer.Option(help="version: NAME, NAME@alias, NAME/3")],
    out: Annotated[str, typer.Option(help="file to write, or folder where the target is a folder")],
    match: Annotated[str, typer.Option(help="photo of the one person to swap; default: every face")] = "",
    start: Annotated[float | None, typer.Option(min=0, help="first second")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="last second")] = None,
    label: Annotated[bool, typer.Option("--label/--no-label", help="the visible label")] = True,
) -> None:
    """Put the reference's face on a picture, a folder or a video."""
    with _spoken_errors():
        from flows.parameters import SwapParameters
        from flows.swap import swap as flow

        report = _flow(
            flow,
            SwapParameters(
                target=target,
                reference=reference,
                out=out,
                match=match,
                start=start,
                end=end,
                options={"label": label},
            ),
        )
        for key, value in report.numbers().items():
            console.print(f"{key}: {value:g}")
        for item in report.skipped:
            console.print(f"skipped {item.source}: {item.reason}", soft_wrap=True)
        for path in report.written:
            console.print(f"Written: {path}", soft_wrap=True)
        if not report.written:
            raise typer.Exit(1)


@app.command()
def inspect(file: Annotated[Path, typer.Argument(help="picture or video")]) -> None:
    """Print what a file says of its origin."""
    with _spoken_errors():
        from faceswap.provenance.metadata import read_provenance

        found = read_provenance(file)
        if found is None:
            console.print(f"{file} says nothing of being generated by faceswap.")
            raise typer.Exit(1)
        console.print(found.statement(), soft_wrap=True)
        console.print_json(json.dumps(found.to_dict()))


@app.command()
def people(
    out: Annotated[Path, typer.Option(help="folder to write to")] = Path("people"),
    names: Annotated[
        list[str] | None, typer.Option("--name", help="of the cast; repeatable; default: all")
    ] = None,
    pictures: Annotated[bool, typer.Option("--pictures/--video", help="pictures instead of a video")] = False,
    count: Annotated[int, typer.Option(min=1, help="pictures of each person")] = 40,
    seconds: Annotated[float, typer.Option(min=0.5, help="length of each video")] = 8.0,
    size: Annotated[int, typer.Option(min=64, max=1024, help="side of a frame, px")] = 256,
    seed: Seed = 0,
) -> None:
    """Write pictures or a video of each fictional person."""
    with _spoken_errors():
        from faceswap.people import write_people

        kind = "pictures" if pictures else "video"
        written = write_people(out, names or [], kind, seconds, count, size, seed)  # type: ignore[arg-type]
        for name, path in written.items():
            console.print(f"{name}: {path}", soft_wrap=True)


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """List the registered versions."""
    with _spoken_errors():
        from faceswap.registry import versions

        rows = versions()
        if as_json:
            values = [
                {"version": str(r.version), "aliases": r.aliases, "created": r.created, **r.tags}
                for r in rows
            ]
            sys.stdout.write(json.dumps(values, indent=1) + "\n")
            return
        table = Table(title=f"Versions at {settings().tracking}")
        for title in ("version", "aliases", "preset", "identity distance", "lips follow", "age"):
            table.add_column(title)
        for row in rows:
            tags = row.tags
            hours = (time.time() - row.created) / 3600
            age = f"{hours / 24:.0f} days" if hours > 48 else f"{hours:.1f} h"
            numbers = (tags.get("identity_distance", "–"), tags.get("lip_gap_correlation", "–"))
            table.add_row(str(row.version), " ".join(row.aliases), tags.get("preset", ""), *numbers, age)
        console.print(table)


if __name__ == "__main__":
    app()
