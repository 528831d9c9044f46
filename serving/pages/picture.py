"""The tab Picture: a target in, the swap beside it at once."""

from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import words
from serving.components import Picture, path_of
from serving.pages.desk import Desk, face_choices
from serving.pages.result import ResultPanel
from serving.work import ALL

_EMPTY = words.empty("Nothing to show yet", "Drop a picture, use the camera, or click one of the examples.")


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=5, min_width=320):
            target = Picture(
                label="Target: its pose, expression and light stay",
                type="filepath",
                image_mode=None,
                sources=["upload", "webcam", "clipboard"],
                height=360,
                elem_id="picture-target",
            )
            faces = gr.Gallery(
                label="Found faces: click the one to swap",
                columns=5,
                height="auto",
                allow_preview=False,
                visible=False,
                interactive=False,
                buttons=[],
                elem_id="picture-faces",
            )
            everybody = gr.Button("Swap all faces", size="sm", visible=False, elem_id="picture-all")
            examples = gr.Gallery(
                desk.ready_pictures,
                label="Fictional people to try",
                columns=4,
                height="auto",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="picture-examples",
            )
        with gr.Column(scale=7, min_width=320):
            slider = gr.ImageSlider(
                label="Before and after",
                type="filepath",
                visible=False,
                interactive=False,
                buttons=["fullscreen"],
                max_height=560,
                elem_id="picture-result",
            )
            panel = ResultPanel.build("picture", slider, _EMPTY)
    chosen = gr.State(ALL)

    def swap(path: str | None, identity: str | None, version: str | None, face: int) -> list[Any]:
        if path is None or not identity:
            return panel.failed(None)
        try:
            swapped = desk.workshop.picture(path_of(path), identity, version or "production", face)
        except FaceswapError as error:
            return panel.failed(error)
        return panel.shown(swapped, (path, str(swapped.result)))

    def look(path: str | None, identity: str | None, version: str | None) -> list[Any]:
        """A new target: its faces, and all of them swapped."""
        try:
            portraits = desk.workshop.faces_of_picture(path_of(path)).portraits() if path else []
        except FaceswapError as error:
            return [face_choices([]), gr.update(visible=False), ALL, *panel.failed(error)]
        several = gr.update(visible=len(portraits) > 1)
        return [face_choices(portraits), several, ALL, *swap(path, identity, version, ALL)]

    def choose(event: gr.SelectData) -> int:
        return int(event.index) + 1

    def take(event: gr.SelectData) -> str:
        return desk.ready_pictures()[int(event.index)][0]

    quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    looks = target.change(
        look,
        [target, desk.identity, desk.version],
        [faces, everybody, chosen, *panel.outputs],
        show_progress_on=[slider],
        trigger_mode="always_last",
        **desk.work,
    )
    panel.measure_after(looks, desk)
    examples.select(take, None, target, **quiet)
    one = faces.select(choose, None, chosen, **quiet)
    every = everybody.click(lambda: (ALL, gr.update(selected_index=None)), None, [chosen, faces], **quiet)
    for event in (one, every):
        panel.measure_after(_then_swap(event, swap, target, chosen, desk, panel), desk)
    for pick in (desk.identity, desk.version):
        again = pick.change(
            swap,
            [target, desk.identity, desk.version, chosen],
            panel.outputs,
            show_progress_on=[slider],
            trigger_mode="always_last",
            **desk.work,
        )
        panel.measure_after(again, desk)


def _then_swap(event: Any, swap: Any, target: Any, chosen: Any, desk: Desk, panel: ResultPanel) -> Any:
    inputs = [target, desk.identity, desk.version, chosen]
    return event.then(swap, inputs, panel.outputs, show_progress_on=[panel.view], **desk.work)
