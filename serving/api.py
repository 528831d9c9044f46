"""What programs call with ``gradio_client``: /swap, /swap_video, /compare, /faces, /versions.

>>> from gradio_client import Client, handle_file
>>> app = Client("http://127.0.0.1:7860", auth=("user", "password"))
>>> file, report = app.predict(handle_file("me.jpg"), "ada", "production", 0, False, api_name="/swap")

The answers hold paths of downloaded files, byte for byte as they were written: with label and provenance.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from faceswap.errors import FaceswapError
from serving.catalogue import State
from serving.components import path_of
from serving.pages.compare import compare as compare_versions
from serving.work import ALL, Swapped, Workshop

P = ParamSpec("P")
R = TypeVar("R")


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
        "measures": workshop.measure(swapped).model_dump() if measure else None,
        "lineage": dict(row.tags),
    }


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
        result, results, answer = gr.File(label="result"), gr.Files(label="results"), gr.JSON(label="report")
        go = gr.Button("API")

    @_spoken
    def swap(path: str, who: str, which: str, number: float, measured: bool) -> tuple[str, dict[str, Any]]:
        """Swap a picture.

        target: a picture. identity: whose likeness. version: an alias or a number. face: 1 the largest, 0 all.
        measure: also measure identity, expression and pose, about 0.2 s.
        Returns the file and a report: version, notice, seconds, faces, measures, lineage.
        """
        swapped = workshop.picture(path_of(path), who, which, int(number))
        return str(swapped.result), report(swapped, workshop, measured)

    @_spoken
    def swap_video(
        path: str, who: str, which: str, number: float, measured: bool
    ) -> tuple[str, dict[str, Any]]:
        """Swap a video; the sound is kept. As /swap, measured on five frames."""
        swapped = workshop.video(path_of(path), who, which, int(number))
        return str(swapped.result), report(swapped, workshop, measured)

    @_spoken
    def compare(path: str, specs: list[str]) -> tuple[list[str], list[dict[str, Any]]]:
        """One picture through several versions, at most six.

        target: a picture. versions: a list as ["ada@production", "ada/3"].
        Returns the files and, in the same order, a report with the measures of each.
        """
        made, wrong = compare_versions(workshop, path, list(specs or []))
        if wrong:
            raise wrong[0][1]
        return [str(one.result) for one in made], [report(one, workshop, True) for one in made]

    @_spoken
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
    asked = [file, identity, version, face, measure]
    go.click(swap, asked, [result, answer], api_name="swap", **limit)
    go.click(
        swap_video,
        asked,
        [result, answer],
        api_name="swap_video",
        concurrency_id="videos",
        concurrency_limit=1,
    )
    go.click(compare, [file, names], [results, answer], api_name="compare", **limit)
    go.click(faces, file, answer, api_name="faces", **limit)
    go.click(versions, None, answer, api_name="versions", queue=False)


def _spoken(function: Callable[P, R]) -> Callable[P, R]:
    """Errors meant for the user reach the client as messages."""

    @wraps(function)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except FaceswapError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return safe
