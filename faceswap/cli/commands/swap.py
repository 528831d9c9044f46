"""swap: the reference's face on a picture, a folder or a video, or on a sheet to choose the options from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceswap.cli.checks import identities_exist, media_exist, recordable
from faceswap.cli.common import spoken_errors
from faceswap.cli.options import Shown, at_home, one_of, takes_fields_of
from faceswap.cli.running import run as run_job
from faceswap.errors import SettingsError
from faceswap.output.console import say
from faceswap.provenance.label_texts import TEXTS
from faceswap.swap.options import SwapOptions

if TYPE_CHECKING:
    from faceswap.jobs.parameters import SwapParameters

_FACES, _VIDEO, _MASK = "Which faces", "Videos", "Mask: what is replaced"
_SHAPE, _LOOK, _SWITCHES = "Shape and expression", "Colour and detail", "On or off"


def roles(words: list[str], match: str) -> dict[str, Any]:
    """``NAME`` and ``NAME:PHOTO`` words as the job's parameters.

    Raises:
        SettingsError: two references are for everybody, or a photo is given twice.
    """
    parted = [word.partition(":") for word in words]
    everybody = [name for name, mark, _ in parted if not mark]
    cast = [{"reference": name, "photo": at_home(photo)} for name, mark, photo in parted if mark]
    if wrong := [f"{c['reference']}:{c['photo']}" for c in cast if not c["reference"] or not c["photo"]]:
        raise SettingsError(f"{wrong[0]!r} is not NAME:PHOTO", "write for example ada:photo.jpg")
    if len(everybody) > 1:
        raise SettingsError(
            f"Several references are for everybody: {', '.join(everybody)}",
            "write NAME:PHOTO for all but one, with a photo of who shall get it",
        )
    if match and not everybody:
        raise SettingsError("--match is given, and every reference has its photo", "leave --match out")
    if everybody:
        return {"reference": everybody[0], "match": match, "others": cast}
    return {"reference": cast[0]["reference"], "match": cast[0]["photo"], "others": cast[1:]}


def _photos(parameters: "SwapParameters") -> list[str]:
    return [parameters.match, *(one.photo for one in parameters.others)]


@takes_fields_of(
    SwapOptions,
    {
        "min_face": Shown("least height of a face (brows to lower lip), px", _FACES),
        "max_yaw": Shown("faces turned further are left alone, degrees", _FACES),
        "min_score": Shown("least sureness of the detector", _FACES),
        "match_threshold": Shown("largest distance to a photo's person", _FACES, "threshold"),
        "turn": Shown("degrees clockwise, if heads lie on their side", _FACES),
        "mask": Shown("which part of the face is replaced", _MASK),
        "outline": Shown("whose outline the hulls end at: the generated face's or the target's", _MASK),
        "forehead": Shown("how far extended_hull reaches above the brows, face heights", _MASK),
        "erosion": Shown("shrink the mask (below 0: grow it), face heights", _MASK, "erode"),
        "feather": Shown("width of the soft edge, face heights", _MASK),
        "protect": Shown("keep the target's own pixels there", _MASK),
        "occlusion": Shown("learned: hands, glasses and hair over the face stay the target's", _MASK),
        "reshape": Shown("jaw and cheeks take the generated face's outline: 0 not at all, 1 wholly", _SHAPE),
        "lips": Shown("the lips open as the target's: 0 as generated, 1 wholly", _SHAPE),
        "eyes": Shown(
            "the target's own eyeballs, irises in the reference's colour: 0 none, 1 wholly", _SHAPE
        ),
        "teeth": Shown("the target's own teeth: 0 none, 1 wholly", _SHAPE),
        "lids": Shown("the eyes shut as the target's: 0 as generated, 1 wholly", _SHAPE),
        "glasses": Shown("the reference's: keep, or remove", _SHAPE),
        "hairline": Shown("generated hair on the face is painted over: 0 not at all, 1 wholly", _SHAPE),
        "colour": Shown("how colours are fitted to the target's skin", _LOOK),
        "colour_strength": Shown("share of it that is applied", _LOOK),
        "detail": Shown("share of the fine detail of the reference's photos", _LOOK),
        "sharpen": Shown("unsharp mask where there is no detail of photos, 0: off", _LOOK),
        "texture": Shown("share of the target's pores and noise", _LOOK),
        "match_blur": Shown("as out of focus as the target", _SWITCHES),
        "watermark": Shown(
            "the mark in the pixels; without it those beside the face stay as they were", _SWITCHES
        ),
        "label": Shown("the visible label", _SWITCHES),
    },
)
def swap(
    target: Annotated[
        str, typer.Argument(help="picture, folder, video or s3:// URI to edit", callback=at_home)
    ],
    reference: Annotated[
        list[str],
        typer.Option(
            help="version: NAME, NAME@alias, NAME/3; NAME:PHOTO gives it only to the person of the photo; repeatable"
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            help="file to write, or folder where the target is a folder; or s3:// URI", callback=at_home
        ),
    ],
    sheet: Annotated[
        bool, typer.Option("--sheet", help="one frame under all masks and colours, as a picture")
    ] = False,
    match: Annotated[
        str,
        typer.Option(
            help="photo of the one person to swap; default: every face",
            callback=at_home,
            rich_help_panel=_FACES,
        ),
    ] = "",
    target_consent: Annotated[
        str, typer.Option(help="who confirmed that the target may be edited; it is written into the result")
    ] = "",
    label_language: Annotated[
        str,
        typer.Option(
            help=f"of the visible label: {', '.join(TEXTS)}",
            callback=one_of(lambda: TEXTS),
            autocompletion=lambda: list(TEXTS),
        ),
    ] = "en",
    start: Annotated[float | None, typer.Option(min=0, help="first second", rich_help_panel=_VIDEO)] = None,
    end: Annotated[float | None, typer.Option(min=0, help="last second", rich_help_panel=_VIDEO)] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--fresh", help="go on where the same command was interrupted", rich_help_panel=_VIDEO
        ),
    ] = True,
    *,
    options: dict[str, Any],
) -> None:
    """Put the reference's face on a picture, a folder or a video."""
    with spoken_errors():
        from faceswap.jobs.parameters import SwapParameters

        parameters = SwapParameters(
            target=target,
            out=out,
            target_consent=target_consent,
            start=start,
            end=end,
            resume=resume,
            options=SwapOptions(**options, label_text=TEXTS[label_language]),
            **roles(reference, match),
        )
        media_exist(target, *_photos(parameters))
        recordable(out)
        if not sheet:
            from faceswap.jobs.delivery import workplace
            from faceswap.swap.batch.output_paths import plan

            plan(target, workplace(out))
        identities_exist(parameters.reference, *(one.reference for one in parameters.others))
        if sheet:
            say(f"Written: {run_job('sheet', parameters)}")
            return
        report = run_job("swap", parameters)
        for key, value in report.numbers().items():
            say(f"{key}: {value:g}")
        for item in report.skipped:
            say(f"skipped {item.source}: {item.reason}")
        for remark in report.remarks:
            say(f"note: {remark}")
        for place in report.places:
            say(f"Written: {place}")
        if not report.written:
            raise typer.Exit(1)
