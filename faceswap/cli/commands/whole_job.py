"""demo, run: the whole job in one command."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from faceswap import backend, storage
from faceswap.cli.checks import media_exist
from faceswap.cli.common import (
    SHORT,
    MachinesPreset,
    Seed,
    consents,
    pairs,
    spoken_errors,
)
from faceswap.cli.options import at_home
from faceswap.cli.running import run as run_job
from faceswap.errors import SettingsError, did_you_mean
from faceswap.output.console import out as output
from faceswap.output.console import printable, say

if TYPE_CHECKING:
    from faceswap.jobs.parameters import PipelineParameters

People = Annotated[
    list[str], typer.Argument(metavar="NAME=PATH...", help="two or more people and their media")
]
Consents = Annotated[
    list[str],
    typer.Option("--consent", help='what allows the use: "TEXT" for all, or NAME="TEXT"; repeatable'),
]
Out = Annotated[
    str, typer.Option(help="folder or s3:// prefix for report, pictures and video", callback=at_home)
]
_DEMO = ("emeric", "bram", "corin", "fenn", "dalia", "ada")
"""The cast in the order in which the demo takes them: the first have no hair beside the face."""
_KEPT = "extracted faces and registered versions are kept, the same command trains anew"
Minutes = Annotated[float, typer.Option(min=0.05, help="training time")]


def demo(
    out: Out = "demo",
    minutes: Minutes = 2.0,
    people: Annotated[int, typer.Option(min=2, max=6, help="how many of the cast")] = 2,
    seconds: Annotated[float, typer.Option(min=4, help="length of each rendered video")] = 10.0,
    seed: Seed = 0,
) -> None:
    """The whole job on fictional people: render, extract, train, evaluate, register, swap. No media needed."""
    with spoken_errors(_KEPT):
        from faceswap.jobs.delivery import workplace
        from faceswap.jobs.fictional.fictional_media import FICTIONAL, write_people
        from faceswap.jobs.parameters import PipelineParameters

        started = time.monotonic()
        names = list(_DEMO[:people])
        videos = write_people(workplace(out) / "people", names, "video", seconds=seconds, seed=seed)
        _run_pipeline(
            PipelineParameters(
                people={name: str(path) for name, path in videos.items()},
                consent=dict.fromkeys(names, FICTIONAL),
                fictional=True,
                out=out,
                preset=backend.SMALL_PRESET,  # the rendered frames show no more
                minutes=minutes,
                seed=seed,
            ),
            started,
        )


def run(
    people: People,
    consent: Consents = [],  # noqa: B006  # Typer needs the value itself
    out: Out = "out",
    minutes: Minutes = 4.0,
    preset: MachinesPreset = None,
    reference_photos: Annotated[
        list[str] | None, typer.Option(help="NAME=PHOTO: keep only this person; repeatable")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="take every N-th frame")] = 1,
    bottleneck: Annotated[
        int | None, typer.Option(min=4, max=4096, help="width of the code; default: the preset's")
    ] = None,
    seed: Seed = 0,
) -> None:
    """The whole job on your own media of consenting people."""
    with spoken_errors(_KEPT):
        named = pairs(people, "PATH")
        if len(named) < 2:
            raise SettingsError("One person alone can't be swapped", "give two or more NAME=PATH")
        photos: dict[str, list[str]] = {}
        for word in reference_photos or []:
            name, _, path = word.partition("=")
            if name not in named or not path:
                raise SettingsError(
                    f"--reference-photos {word!r} names none of {', '.join(named)}",
                    did_you_mean(name, list(named), "write NAME=PHOTO"),
                )
            photos.setdefault(name, []).append(at_home(path))
        statements = consents(consent, list(named))
        from faceswap.faces.extraction.options import ExtractionOptions
        from faceswap.jobs.parameters import PipelineParameters

        parameters = PipelineParameters(
            people=named,
            consent=statements,
            reference_photos=photos,
            out=out,
            minutes=minutes,
            preset=preset,
            bottleneck=bottleneck,
            seed=seed,
            options=ExtractionOptions(every=every),
        )
        media_exist(*named.values(), *(photo for given in photos.values() for photo in given))
        _run_pipeline(parameters, time.monotonic())


def _run_pipeline(parameters: "PipelineParameters", started: float) -> None:
    report: str = run_job("pipeline", parameters)
    out = report.rpartition("/")[0]
    values = json.loads(storage.read_bytes(f"{out}/report.json"))
    table = Table(title="Measured on held-out frames")
    table.add_column("reference → target")
    for title in SHORT.values():
        table.add_column(title, justify="right")
    for row in values["pairs"]:
        numbers = [f"{row[key]:.2f}" if row[key] is not None else "–" for key in SHORT]
        table.add_row(f"{row['reference']} → {row['target']}", *numbers)
    output().print(table)
    say(
        "identity: distance to the reference, below 0.6 is the same person · top-1: share nearest to the reference\n"
        "lips: correlation of the lip gap with the target's · pose: error in degrees · sharp: 1 is as the real face",
        style="dim",
    )
    training = values["training"]
    say(
        f"{training['steps']} steps in {training['wall_seconds']:.0f} s, {training['images_per_second']:.0f} images/s "
        f"on {training['device']}; all in {time.monotonic() - started:.0f} s"
    )
    first = next(iter(values["versions"].values()))
    look = Text.assemble("\nLook at ", (printable(report), "bold"))
    output().print(look.append(printable(f", {out}/before_after.png and {out}/swap.mp4")))
    say(f"Next: faceswap swap PICTURE_OR_VIDEO --reference {first} --out FILE; faceswap models")
