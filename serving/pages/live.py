"""The tab Live: the camera through a version, frame by frame; nothing is kept."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceswapError
from faceswap.faces.tracking.search import FaceSearch
from serving import html as words
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm

_EVERY = 0.15
_EMPTY = words.empty("The camera is off", "Start it; the swapped frames appear here.")
_TITLE = "A preview at 640 x 480: nothing is recorded"
_PREVIEW = words.note("info", _TITLE, "Frames are worked on in memory and not stored.")
_OVER = 20
"""Frames over which the rate is told."""


class _Rate:
    """Frames a second of one camera, over the last ones."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_OVER)

    def count(self, now: float) -> float:
        """One more frame is ready; 0 until there are some."""
        self._times.append(now)
        passed = now - self._times[0]
        return (len(self._times) - 1) / passed if len(self._times) > 3 and passed > 0 else 0.0


@dataclass
class _Camera:
    """What is kept of one camera from frame to frame."""

    search: FaceSearch | None = None
    rate: _Rate = field(default_factory=_Rate)


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
        before: _Camera | None,
        *values: Any,
    ) -> tuple[str, _Camera | None, Any]:
        now = before or _Camera()
        if image is None or not identity:
            return _EMPTY, None, gr.skip()
        try:
            *chosen, allowed = values
            options = form.chosen(desk.workshop.options, tuple(chosen))
            swapped, now.search = desk.workshop.live(
                image, identity, version or "production", now.search, options, allowed or ""
            )
        except FaceswapError as error:
            return _EMPTY, None, words.problem(error)
        rate = now.rate.count(time.monotonic())
        note = words.note("info", _TITLE, words.live_rate(rate)) if rate else _PREVIEW
        return words.still(swapped), now, note

    camera.stream(
        frame,
        [camera, desk.identity, desk.version, known, *form.inputs, desk.target_consent],
        [view, known, note],
        stream_every=_EVERY,
        time_limit=600,
        concurrency_id="camera",
        concurrency_limit=desk.workers,
        show_progress="hidden",
        api_visibility="private",
    )
