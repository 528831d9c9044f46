"""The tab Picture: a target in, the swap beside it at once."""

from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.components import Picture, path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.pages.picker import Examples, FacePicker
from serving.pages.result_view import ResultPanel
from serving.waiting import Steps
from serving.work import ALL

_EMPTY = words.empty("Nothing to show yet", "Drop a picture, use the camera, or click one of the examples.")


def build(desk: Desk) -> Examples:
    """Lay the tab out and wire it.

    Returns:
        the examples, for the app to fill as they are rendered.
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
    gallery = Examples.build("picture", desk, target)

    def swap(
        path: str | None,
        identity: str | None,
        version: str | None,
        face: int,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio finds it
        *values: Any,
    ) -> list[Any]:
        if path is None or not identity:
            return panel.failed(None)
        *chosen, target_consent = values
        try:
            swapped = desk.workshop.picture(
                path_of(path),
                identity,
                version or "production",
                face,
                options=form.chosen(desk.workshop.options, chosen),
                tell=Steps(progress, 3),
                target_consent=target_consent or "",
            )
        except FaceswapError as error:
            return panel.failed(error)
        return panel.shown(swapped, (path, str(swapped.result)))

    def look(
        path: str | None,
        identity: str | None,
        version: str | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> list[Any]:
        """A new target: its faces, and all of them swapped."""
        try:
            progress(0.1, desc="looking for faces")
            portraits = desk.workshop.faces_of_picture(path_of(path)).portraits() if path else []
        except FaceswapError as error:
            return [*picker.values([]), *panel.failed(error)]
        return [*picker.values(portraits), *swap(path, identity, version, ALL, progress, *values)]

    inputs = [target, desk.identity, desk.version]
    settled = [*form.inputs, desk.target_consent]
    busy: dict[str, Any] = {"show_progress_on": [panel.empty, slider], **desk.work}
    looks = target.change(
        look, [*inputs, *settled], [*picker.outputs, *panel.outputs], trigger_mode="always_last", **busy
    )
    panel.measure_after(looks, desk)
    asked = [*inputs, picker.chosen, *settled]
    for event in picker.choices():
        panel.measure_after(event.then(swap, asked, panel.outputs, **busy), desk)
    changes = [desk.identity.change, desk.version.change, desk.target_consent.submit, *form.changes()]
    panel.measure_after(gr.on(changes, swap, asked, panel.outputs, trigger_mode="always_last", **busy), desk)
    return gallery
