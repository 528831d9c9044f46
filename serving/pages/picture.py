"""The tab Picture: a target in, the swap beside it at once."""

from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.components import Picture, path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.pages.picker import FacePicker, examples
from serving.pages.result import ResultPanel
from serving.work import ALL

_EMPTY = words.empty("Nothing to show yet", "Drop a picture, use the camera, or click one of the examples.")


def build(desk: Desk) -> gr.Gallery:
    """Lay the tab out and wire it.

    Returns:
        the gallery of examples.
    """
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=5, min_width=300):
            target = Picture(
                label="Target: its pose, expression and light stay",
                type="filepath",
                image_mode=None,
                sources=["upload", "webcam", "clipboard"],
                height=360,
                elem_id="picture-target",
            )
            picker = FacePicker.build("picture")
            form = OptionsForm.build("picture", desk.workshop.options)
        with gr.Column(scale=7, min_width=300):
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
    gallery = examples("picture", desk, target)

    def swap(
        path: str | None, identity: str | None, version: str | None, face: int, *values: Any
    ) -> list[Any]:
        if path is None or not identity:
            return panel.failed(None)
        try:
            swapped = desk.workshop.picture(
                path_of(path),
                identity,
                version or "production",
                face,
                options=form.chosen(desk.workshop.options, values),
            )
        except FaceswapError as error:
            return panel.failed(error)
        return panel.shown(swapped, (path, str(swapped.result)))

    def look(path: str | None, identity: str | None, version: str | None, *values: Any) -> list[Any]:
        """A new target: its faces, and all of them swapped."""
        try:
            portraits = desk.workshop.faces_of_picture(path_of(path)).portraits() if path else []
        except FaceswapError as error:
            return [*picker.values([]), *panel.failed(error)]
        return [*picker.values(portraits), *swap(path, identity, version, ALL, *values)]

    inputs = [target, desk.identity, desk.version]
    busy: dict[str, Any] = {"show_progress_on": [slider], **desk.work}
    looks = target.change(
        look, [*inputs, *form.inputs], [*picker.outputs, *panel.outputs], trigger_mode="always_last", **busy
    )
    panel.measure_after(looks, desk)
    asked = [*inputs, picker.chosen, *form.inputs]
    for event in picker.choices():
        panel.measure_after(event.then(swap, asked, panel.outputs, **busy), desk)
    for change in (desk.identity.change, desk.version.change, *form.changes()):
        again = change(swap, asked, panel.outputs, trigger_mode="always_last", **busy)
        panel.measure_after(again, desk)
    return gallery
