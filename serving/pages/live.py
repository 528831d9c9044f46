"""The tab Live: the camera through a version, frame by frame; nothing is kept."""

from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceswapError
from faceswap.faces.detection import Box
from serving import words
from serving.pages.desk import Desk

_EVERY = 0.15


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    note = gr.HTML(
        words.note("info", "A preview at 640 x 480", "Frames are worked on in memory and not stored."),
        elem_id="live-note",
    )
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
        with gr.Column(min_width=320):
            view = gr.Image(
                label="Swapped",
                format="jpeg",
                interactive=False,
                height=400,
                buttons=[],
                elem_id="live-result",
            )
    hint = gr.State(None)

    def frame(
        image: NDArray[np.uint8] | None, identity: str | None, version: str | None, near: Box | None
    ) -> tuple[Any, Box | None, Any]:
        if image is None or not identity:
            return None, None, gr.skip()
        try:
            swapped, box = desk.workshop.live(image, identity, version or "production", near)
        except FaceswapError as error:
            return None, None, words.problem(error)
        return swapped, box, gr.skip()

    camera.stream(
        frame,
        [camera, desk.identity, desk.version, hint],
        [view, hint, note],
        stream_every=_EVERY,
        time_limit=600,
        concurrency_id="camera",
        concurrency_limit=desk.workers,
        show_progress="hidden",
        api_visibility="private",
    )
