"""swap: the reference's face on a picture, a folder or a video, or on a sheet to choose the options from."""

from typing import Annotated, Any

import typer

from faceswap.cli.common import console, quiet_imports, spoken_errors
from faceswap.errors import SettingsError


def roles(words: list[str], match: str) -> dict[str, Any]:
    """``NAME`` and ``NAME:PHOTO`` words as the flow's parameters.

    Raises:
        SettingsError: two references are for everybody, or a photo is given twice.
    """
    everybody = [word for word in words if ":" not in word]
    cast = [
        dict(zip(("reference", "photo"), word.split(":", 1), strict=True)) for word in words if ":" in word
    ]
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


def swap(
    target: Annotated[str, typer.Argument(help="picture, folder or video to edit")],
    reference: Annotated[
        list[str],
        typer.Option(
            help="version: NAME, NAME@alias, NAME/3; NAME:PHOTO gives it only to the person of the photo; repeatable"
        ),
    ],
    out: Annotated[str, typer.Option(help="file to write, or folder where the target is a folder")],
    match: Annotated[str, typer.Option(help="photo of the one person to swap; default: every face")] = "",
    start: Annotated[float | None, typer.Option(min=0, help="first second")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="last second")] = None,
    mask: Annotated[str | None, typer.Option(help="extended_hull, hull, hull_rect, ellipse, rect")] = None,
    forehead: Annotated[
        float | None, typer.Option(help="of extended_hull, above the brows, face heights")
    ] = None,
    outline: Annotated[
        str | None, typer.Option(help="the hulls end at the face: drawn (the reference's), target")
    ] = None,
    reshape: Annotated[
        float | None,
        typer.Option(help="jaw and cheeks take the drawn face's outline: 0 not at all, 1 wholly"),
    ] = None,
    lips: Annotated[
        float | None, typer.Option(help="the drawn lips open as the target's: 0 as drawn, 1 wholly")
    ] = None,
    lids: Annotated[
        float | None, typer.Option(help="the drawn eyes shut as the target's: 0 as drawn, 1 wholly")
    ] = None,
    hairline: Annotated[
        float | None, typer.Option(help="drawn hair on the face is painted over: 0 not at all, 1 wholly")
    ] = None,
    feather: Annotated[float | None, typer.Option(help="width of the soft edge, face heights")] = None,
    erode: Annotated[
        float | None, typer.Option(help="shrink the mask (below 0: grow it), face heights")
    ] = None,
    protect: Annotated[
        list[str] | None, typer.Option(help="keep the target's eyes or mouth; repeatable")
    ] = None,
    occlusion: Annotated[
        str | None, typer.Option(help="what lies over the face stays: none, learned")
    ] = None,
    colour: Annotated[
        str | None, typer.Option(help="none, skin, mean, reinhard, histogram, linear, seamless")
    ] = None,
    colour_strength: Annotated[float | None, typer.Option(help="0 to 1")] = None,
    sharpen: Annotated[
        float | None, typer.Option(help="unsharp mask; 1: as crisp as the reference's photos, 0: off")
    ] = None,
    grain: Annotated[float | None, typer.Option(help="share of the target's noise; 1 matches it")] = None,
    match_blur: Annotated[
        bool | None, typer.Option("--match-blur/--no-match-blur", help="as out of focus as the target")
    ] = None,
    min_face: Annotated[int | None, typer.Option(help="least height of a face, px")] = None,
    max_yaw: Annotated[
        float | None, typer.Option(help="faces turned further are left alone, degrees")
    ] = None,
    min_score: Annotated[float | None, typer.Option(help="least sureness of the detector")] = None,
    threshold: Annotated[float | None, typer.Option(help="largest distance to a photo's person")] = None,
    label: Annotated[bool, typer.Option("--label/--no-label", help="the visible label")] = True,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="go on where the same command was interrupted")
    ] = True,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="one frame under all masks and colours, as a picture")
    ] = False,
) -> None:
    """Put the reference's face on a picture, a folder or a video."""
    with spoken_errors():
        chosen = {
            "mask": mask,
            "forehead": forehead,
            "outline": outline,
            "reshape": reshape,
            "lips": lips,
            "lids": lids,
            "hairline": hairline,
            "feather": feather,
            "erosion": erode,
            "protect": protect,
            "occlusion": occlusion,
            "colour": colour,
            "colour_strength": colour_strength,
            "sharpen": sharpen,
            "grain": grain,
            "match_blur": match_blur,
            "min_face": min_face,
            "max_yaw": max_yaw,
            "min_score": min_score,
            "match_threshold": threshold,
            "label": label,
        }
        cast = roles(reference, match)
        with quiet_imports():
            import faceswap.inference.decoder_network  # noqa: F401  # loads TensorFlow while it may not chatter
            from flows.parameters import SwapParameters
            from flows.swap import sheet as sheet_flow
            from flows.swap import swap as flow

        parameters = SwapParameters(
            target=target,
            out=out,
            start=start,
            end=end,
            resume=resume,
            options={key: value for key, value in chosen.items() if value is not None},
            **cast,
        )
        if sheet:
            console.print(f"Written: {sheet_flow(parameters)}", soft_wrap=True)
            return
        report = flow(parameters)
        for key, value in report.numbers().items():
            console.print(f"{key}: {value:g}")
        for item in report.skipped:
            console.print(f"skipped {item.source}: {item.reason}", soft_wrap=True)
        for remark in report.remarks:
            console.print(f"note: {remark}", soft_wrap=True)
        for path in report.written:
            console.print(f"Written: {path}", soft_wrap=True)
        if not report.written:
            raise typer.Exit(1)
