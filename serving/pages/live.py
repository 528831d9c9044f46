"""The tab Live: the camera through a version, frame by frame; nothing is kept."""

from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceswapError
from faceswap.faces.tracking.search import Search
from faceswap.media.images import jpeg_bytes
from serving import html as words
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm

_EVERY = 0.15
_EMPTY = words.empty("The camera is off", "Start it on the left; the swapped frames appear here.")
_PREVIEW = words.note("info", "A preview at 640 x 480", "Frames are worked on in memory and not stored.")


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    note = gr.HTML(_PREVIEW, elem_id="live-note")
    with gr.Row(elem_classes="work"):
        with gr.Column(min_width=320):
            camera = gr.Image(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                type="numpy",
                height=400,
                webcam_options=gr.WebcamOptions(
                    mirror=True, constraints={"video": {"width": 640, "height": 480}}
                ),
                elem_id="live-camera",
            )
            form = OptionsForm.build("live", desk.workshop.options)
        with gr.Column(min_width=320):
            view = gr.HTML(_EMPTY, elem_id="live-result", padding=False)
    known = gr.State(None)

    def frame(
        image: NDArray[np.uint8] | None,
        identity: str | None,
        version: str | None,
        before: Search | None,
        *values: Any,
    ) -> tuple[str, Search | None, Any]:
        if image is None or not identity:
            return _EMPTY, None, gr.skip()
        try:
            options = form.chosen(desk.workshop.options, values)
            swapped, search = desk.workshop.live(image, identity, version or "production", before, options)
        except FaceswapError as error:
            return _EMPTY, None, words.problem(error)
        return words.still(jpeg_bytes(swapped)), search, _PREVIEW

    camera.stream(
        frame,
        [camera, desk.identity, desk.version, known, *form.inputs],
        [view, known, note],
        stream_every=_EVERY,
        time_limit=600,
        concurrency_id="camera",
        concurrency_limit=desk.workers,
        show_progress="hidden",
        api_visibility="private",
    )
