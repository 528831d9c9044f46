"""The tab Video: a clip in, the clip with its sound and the other face out."""

import threading
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import words
from serving.components import Clip, path_of
from serving.pages.desk import Desk, face_choices
from serving.pages.result import ResultPanel
from serving.work import ALL

_EMPTY = words.empty("No video yet", "Drop a video or take the example, choose whom to swap, and start.")


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=5, min_width=320):
            target = Clip(
                label="Target video",
                sources=["upload", "webcam"],
                height=320,
                include_audio=True,
                elem_id="video-target",
            )
            faces = gr.Gallery(
                label="Found faces: click the one to swap",
                columns=5,
                height="auto",
                allow_preview=False,
                visible=False,
                interactive=False,
                buttons=[],
                elem_id="video-faces",
            )
            with gr.Row():
                example = gr.Button("Take the example", size="md", elem_id="video-example")
                start = gr.Button("Swap the video", variant="primary", size="md", elem_id="video-start")
                stop = gr.Button("Stop", variant="stop", size="md", visible=False, elem_id="video-stop")
        with gr.Column(scale=7, min_width=320):
            player = gr.Video(
                label="Swapped",
                visible=False,
                interactive=False,
                height=360,
                buttons=[],
                elem_id="video-result",
            )
            panel = ResultPanel.build("video", player, _EMPTY)
            slider = gr.ImageSlider(
                label="One frame, before and after",
                visible=False,
                interactive=False,
                format="jpeg",
                buttons=[],
                max_height=420,
                elem_id="video-slider",
            )
    chosen = gr.State(ALL)
    stops: dict[str, threading.Event] = {}

    def look(path: str | None) -> list[Any]:
        try:
            portraits = desk.workshop.faces_of_video(path_of(path)).portraits() if path else []
        except FaceswapError as error:
            return [face_choices([]), ALL, gr.update(visible=False), *panel.failed(error)]
        return [face_choices(portraits), ALL, gr.update(visible=False), *panel.failed(None)]

    def swap(
        path: str | None,
        identity: str | None,
        version: str | None,
        face: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio finds it
    ) -> list[Any]:
        if not identity:
            return panel.failed(None)
        session = str(request.session_hash)
        stopped = stops.setdefault(session, threading.Event())

        def tell(done: int, total: int | None, _: str) -> None:
            progress((done, total), unit="frames", desc="swapping")

        try:
            swapped = desk.workshop.video(
                path_of(path), identity, version or "production", face, tell, stopped.is_set
            )
        except FaceswapError as error:
            return panel.failed(error)
        finally:
            stops.pop(session, None)
        if swapped.video is not None and swapped.video.cancelled:
            values = panel.failed(None)
            values[0] = words.note("info", "Stopped", "Nothing was written.")
            return values
        return panel.shown(swapped, str(swapped.result))

    def halt(request: gr.Request) -> None:
        if (event := stops.get(str(request.session_hash))) is not None:
            event.set()

    def frames(swapped: Any) -> Any:
        if swapped is None:
            return gr.update(visible=False)
        stills = (desk.workshop.still(swapped.target), desk.workshop.still(swapped.result))
        return gr.update(value=stills, visible=True)

    def choose(event: gr.SelectData) -> int:
        return int(event.index) + 1

    def take() -> Any:
        if not desk.clip.exists():
            raise gr.Error(
                "The example is still being rendered; try again in a moment", print_exception=False
            )
        return str(desk.clip)

    quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    example.click(take, None, target, **quiet)
    target.change(
        look, target, [faces, chosen, slider, *panel.outputs], show_progress_on=[target], **desk.work
    )
    faces.select(choose, None, chosen, **quiet)
    start.click(lambda: gr.update(visible=True), None, stop, **quiet)
    swaps = start.click(
        swap,
        [target, desk.identity, desk.version, chosen],
        panel.outputs,
        show_progress_on=[panel.empty, player],
        trigger_mode="once",
        concurrency_id="videos",
        concurrency_limit=1,
        api_visibility="private",
    )
    swaps.then(lambda: gr.update(visible=False), None, stop, **quiet)
    swaps.then(frames, panel.state, slider, show_progress="hidden", **desk.work)
    panel.measure_after(swaps, desk)
    stop.click(halt, None, None, **quiet)
