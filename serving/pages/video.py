"""The tab Video: a clip in, the clip with its sound and the other face out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.components import Clip, path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.pages.picker import QUIET, FacePicker
from serving.pages.preview import FramePreview
from serving.pages.result import ResultPanel

_EMPTY = words.empty("No video yet", "Drop a video or take the example, choose whom to swap, and start.")


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=5, min_width=300):
            target = Clip(
                label="Target video",
                sources=["upload", "webcam"],
                include_audio=True,
                elem_id="video-target",
            )
            picker = FacePicker.build("video")
            with gr.Row():
                example = gr.Button("Take the example", size="md", elem_id="video-example")
                start = gr.Button("Swap the video", variant="primary", size="md", elem_id="video-start")
                stop = gr.Button("Stop", variant="stop", size="md", visible=False, elem_id="video-stop")
            form = OptionsForm.build("video", desk.workshop.options)
        with gr.Column(scale=7, min_width=300):
            player = gr.Video(
                label="Swapped",
                visible=False,
                interactive=False,
                height=360,
                buttons=[],
                elem_id="video-result",
            )
            panel = ResultPanel.build("video", player, _EMPTY)
            preview = FramePreview.build(desk, form, "video")
    jobs = _Jobs()

    def look(path: str | None) -> list[Any]:
        try:
            portraits = desk.workshop.faces_of_video(path_of(path)).portraits() if path else []
        except FaceswapError as error:
            return [*picker.values([]), gr.update(visible=False), *panel.failed(error)]
        return [*picker.values(portraits), gr.update(visible=False), *panel.failed(None)]

    def swap(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio finds it
        *asked: Any,
    ) -> list[Any]:
        path, identity, version, face, *values = asked
        if not identity:
            return panel.failed(None)

        def tell(done: int, total: int | None, _: str) -> None:
            progress((done, total), unit="frames", desc="swapping")

        try:
            with jobs.running(str(request.session_hash)) as stopped:
                swapped = desk.workshop.video(
                    path_of(path),
                    identity,
                    version or "production",
                    face,
                    tell,
                    stopped.is_set,
                    form.chosen(desk.workshop.options, values),
                )
        except FaceswapError as error:
            return panel.failed(error)
        if swapped.video is not None and swapped.video.cancelled:
            return [words.note("info", "Stopped", "Nothing was written."), *panel.failed(None)[1:]]
        return panel.shown(swapped, str(swapped.result))

    def halt(request: gr.Request) -> None:
        jobs.stop(str(request.session_hash))

    def take() -> str:
        if not desk.clip.exists():
            raise gr.Error(
                "The example is still being rendered; try again in a moment", print_exception=False
            )
        return str(desk.clip)

    example.click(take, None, target, **QUIET)
    asked = [target, desk.identity, desk.version, picker.chosen, *form.inputs]
    after_look = [*picker.outputs, preview.slider, *panel.outputs]
    looks = target.change(look, target, after_look, show_progress_on=[target], **desk.work)
    preview.follow(looks, picker.choices(), asked, panel.note)
    start.click(lambda: gr.update(visible=True), None, stop, **QUIET)
    swaps = start.click(
        swap,
        asked,
        panel.outputs,
        show_progress_on=[panel.empty, player],
        trigger_mode="once",
        concurrency_id="videos",
        concurrency_limit=1,
        api_visibility="private",
    )
    swaps.then(lambda: gr.update(visible=False), None, stop, **QUIET)
    swaps.then(preview.of_result, panel.state, preview.slider, show_progress="hidden", **desk.work)
    panel.measure_after(swaps, desk)
    stop.click(halt, None, None, **QUIET)


class _Jobs:
    """The running video of each browser session, so that its user can stop it."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}

    @contextmanager
    def running(self, session: str) -> Iterator[threading.Event]:
        """The event that :meth:`stop` sets, as long as the work lasts."""
        try:
            yield self._events.setdefault(session, threading.Event())
        finally:
            self._events.pop(session, None)

    def stop(self, session: str) -> None:
        """Stop what the session runs, if anything."""
        if (event := self._events.get(session)) is not None:
            event.set()
