"""The tab Video: a clip in, the clip with its sound and the other face out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.components import Clip, path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.pages.picker import QUIET, FacePicker
from serving.pages.preview import FramePreview
from serving.pages.result_view import ResultPanel
from serving.waiting import Steps, frames_told

_EMPTY = words.empty(
    "No swapped video yet", "Drop a video or take the example, choose whom to swap, and start."
)


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
            form = OptionsForm.build("video", desk.workshop.options, without=())
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
    jobs, look = _Jobs(), _Look(desk, picker, preview, panel)

    def swap(
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio finds it
        *asked: Any,
    ) -> list[Any]:
        path, identity, version, face, second, *values, target_consent = asked
        if not identity:
            return panel.failed(None)
        try:
            with jobs.running(str(request.session_hash)) as stopped:
                swapped = desk.workshop.video(
                    path_of(path),
                    identity,
                    version or "production",
                    face,
                    frames_told(progress),
                    stopped.is_set,
                    form.chosen(desk.workshop.options, values),
                    second,
                    Steps(progress, 3),
                    target_consent or "",
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
    asked = [target, desk.identity, desk.version, picker.chosen, preview.chosen, *form.inputs]
    after_look = [*picker.outputs, preview.slider, *preview.moments, *panel.outputs]
    looks = target.change(look.at_video, target, after_look, show_progress_on=[target], **desk.work)
    again = preview.moment.release(
        look.at_frame,
        [target, preview.moment],
        [*picker.outputs, preview.slider, panel.note, preview.chosen],
        show_progress_on=[preview.slider],
        trigger_mode="always_last",
        **desk.work,
    )
    preview.follow([looks, again], picker.choices(), asked, panel.note)
    start.click(lambda: gr.update(visible=True), None, stop, **QUIET)
    swaps = start.click(
        swap,
        [*asked, desk.target_consent],
        panel.outputs,
        show_progress_on=[panel.empty, player],
        trigger_mode="once",
        concurrency_id="videos",
        concurrency_limit=1,
        api_visibility="private",
    )
    swaps.then(lambda: gr.update(visible=False), None, stop, **QUIET)
    swaps.then(
        preview.of_result, [panel.state, preview.chosen], preview.slider, show_progress="hidden", **desk.work
    )
    panel.measure_after(swaps, desk)
    stop.click(halt, None, None, **QUIET)


@dataclass(frozen=True)
class _Look:
    """Finds the faces to choose from."""

    desk: Desk
    picker: FacePicker
    preview: FramePreview
    panel: ResultPanel

    def at_video(self, path: str | None, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        """A new video: its most telling frame."""
        try:
            if not path:
                return self._nothing(None)
            progress(0.2, desc="looking for faces in some frames")
            found = self.desk.workshop.faces_of_video(path_of(path))
            length = self.desk.workshop.seconds_of(path_of(path))
        except FaceswapError as error:
            return self._nothing(error)
        moments = self.preview.first_moment(length, found.second)
        return [
            *self.picker.values(found.portraits()),
            gr.update(visible=False),
            *moments,
            *self.panel.failed(None),
        ]

    def at_frame(self, path: str | None, second: float) -> list[Any]:
        """Another frame of it: its faces are the ones to choose from."""
        try:
            found = self.desk.workshop.faces_of_video(path_of(path), second)
        except FaceswapError as error:
            return [*self.picker.values([]), gr.update(visible=False), words.problem(error), None]
        return [*self.picker.values(found.portraits()), gr.skip(), "", second]

    def _nothing(self, error: FaceswapError | None) -> list[Any]:
        return [
            *self.picker.values([]),
            gr.update(visible=False),
            *self.preview.first_moment(),
            *self.panel.failed(error),
        ]


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
