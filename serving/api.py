"""What programs call with ``gradio_client``: /swap, /swap_video, /compare, /faces, /versions.

>>> from gradio_client import Client, handle_file
>>> app = Client("http://127.0.0.1:7860", auth=("user", "password"))
>>> file, report = app.predict(
...     handle_file("me.jpg"), "ada", "production", 0, False, {"colour": "skin"}, api_name="/swap"
... )

The answers hold paths of downloaded files, byte for byte as they were written: with label and provenance.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from pydantic import ValidationError

from faceswap.errors import SettingsError
from faceswap.swap.options import SwapOptions
from serving.catalogue import State
from serving.components import path_of
from serving.pages.compare import compare as compare_versions
from serving.results.swapped import Swapped
from serving.work import ALL, Workshop

_DECIDED = ("label", "label_text", "watermark")
"""Not for callers to choose: what comes out of the app says that it is generated."""


def report(swapped: Swapped, workshop: Workshop, measure: bool) -> dict[str, Any]:
    """What is known of a result, as plain values."""
    row = swapped.served.row
    return {
        "version": str(row.version),
        "aliases": list(row.aliases),
        "notice": swapped.served.notice,
        "seconds": round(swapped.seconds, 4),
        "faces": len(swapped.faces),
        "video": swapped.video.model_dump(mode="json", exclude={"source", "out"}) if swapped.video else None,
        "link": swapped.link,
        "measures": workshop.measure(swapped).model_dump() if measure else None,
        "lineage": dict(row.tags),
    }


def options_of(changes: Mapping[str, Any] | None, defaults: SwapOptions) -> SwapOptions:
    """The defaults with some fields changed.

    Raises:
        SettingsError: a field does not exist, is not for callers to choose, or its value does not fit.
    """
    known = [name for name in SwapOptions.model_fields if name not in _DECIDED]
    for name in changes or {}:
        if name not in known:
            raise SettingsError(f"There is no option {name!r} to choose", f"options are: {', '.join(known)}")
    try:
        return SwapOptions.model_validate({**defaults.model_dump(), **(changes or {})})
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"The option {'.'.join(map(str, first['loc']))} can't be {first['input']!r}: {first['msg']}"
        ) from error


def listing(state: State) -> dict[str, Any]:
    """The registry as plain values."""
    rows = [
        {
            "version": str(row.version),
            "identity": row.version.identity,
            "number": row.version.version,
            "aliases": list(row.aliases),
            "created": row.created,
            "tags": row.tags,
        }
        for row in state.rows
    ]
    return {"versions": rows, "problem": state.problem, "listed": state.listed}


def build(workshop: Workshop, workers: int) -> None:
    """Add the endpoints to the app that is being built; nothing of them is to be seen on the page."""
    with gr.Row(visible=False):
        file = gr.File(label="target", type="filepath")
        identity = gr.Textbox(label="identity")
        version = gr.Textbox("production", label="version")
        face = gr.Number(ALL, precision=0, label="face")
        measure = gr.Checkbox(False, label="measure")
        names = gr.JSON(label="versions")
        changes = gr.JSON({}, label="options")
        allowed = gr.Textbox("", label="target_consent")
        result, results, answer = gr.File(label="result"), gr.Files(label="results"), gr.JSON(label="report")
        go = gr.Button("API")

    def swap(
        path: str,
        who: str,
        which: str,
        number: float,
        measured: bool,
        changed: dict[str, Any] | None,
        target_consent: str = "",
    ) -> tuple[str, dict[str, Any]]:
        """Swap a picture.

        target: a picture. identity: whose likeness. version: an alias or a number. face: 1 the largest, 0 all.
        measure: also measure identity, expression and pose, about 0.2 s. options: fields of SwapOptions.
        target_consent: who confirmed that the target may be edited.
        Returns the file and a report: version, notice, seconds, faces, measures, lineage.
        """
        options = options_of(changed, workshop.options)
        swapped = workshop.picture(
            path_of(path), who, which, int(number), options=options, target_consent=target_consent
        )
        return str(swapped.result), report(swapped, workshop, measured)

    def swap_video(
        path: str,
        who: str,
        which: str,
        number: float,
        measured: bool,
        changed: dict[str, Any] | None,
        target_consent: str = "",
    ) -> tuple[str, dict[str, Any]]:
        """Swap a video; the sound is kept. As /swap, measured on five frames."""
        options = options_of(changed, workshop.options)
        swapped = workshop.video(
            path_of(path), who, which, int(number), options=options, target_consent=target_consent
        )
        return str(swapped.result), report(swapped, workshop, measured)

    def compare(
        path: str, specs: list[str], changed: dict[str, Any] | None, target_consent: str = ""
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """One picture through several versions, at most six.

        target: a picture. versions: a list as ["ada@production", "ada/3"]. options: fields of SwapOptions.
        Returns the files and, in the same order, a report with the measures of each.
        """
        made, wrong = compare_versions(
            workshop,
            path,
            list(specs or []),
            options_of(changed, workshop.options),
            target_consent=target_consent,
        )
        if wrong:
            raise wrong[0][1]
        return [str(one.result) for one in made], [report(one, workshop, True) for one in made]

    def faces(path: str) -> list[dict[str, Any]]:
        """The faces of a picture, the largest first: number for /swap, box (left, top, right, bottom), score."""
        found = workshop.faces_of_picture(path_of(path))
        return [
            {"face": number, "box": [round(v, 1) for v in one.box], "score": round(one.score, 3)}
            for number, one in enumerate(found.faces, 1)
        ]

    def versions() -> dict[str, Any]:
        """All registered versions with aliases, measures, face sets and consent; what MLflow's problem is."""
        return listing(workshop.catalogue.state)

    limit: dict[str, Any] = {"concurrency_id": "pictures", "concurrency_limit": workers}
    asked = [file, identity, version, face, measure, changes, allowed]
    go.click(swap, asked, [result, answer], api_name="swap", **limit)
    go.click(
        swap_video,
        asked,
        [result, answer],
        api_name="swap_video",
        concurrency_id="videos",
        concurrency_limit=1,
    )
    go.click(compare, [file, names, changes, allowed], [results, answer], api_name="compare", **limit)
    go.click(faces, file, answer, api_name="faces", **limit)
    go.click(versions, None, answer, api_name="versions", queue=False)
