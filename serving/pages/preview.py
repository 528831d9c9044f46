"""One frame of a video before and after, as the options are now: nobody should wait for a whole video to see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.components import path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.work import Swapped


@dataclass(frozen=True)
class FramePreview:
    """A slider over the frame, and the form whose options it shows."""

    desk: Desk
    form: OptionsForm
    slider: gr.ImageSlider

    @classmethod
    def build(cls, desk: Desk, form: OptionsForm, name: str) -> "FramePreview":
        """Make the slider where it stands, hidden."""
        slider = gr.ImageSlider(
            label="One frame, before and after",
            visible=False,
            interactive=False,
            format="jpeg",
            buttons=[],
            max_height=420,
            elem_id=f"{name}-slider",
        )
        return cls(desk, form, slider)

    def of_target(
        self, path: str | None, identity: str | None, version: str | None, face: int, *values: Any
    ) -> list[Any]:
        """Values for the slider and a note: the target's most telling frame, swapped with the form's values."""
        if path is None or not identity:
            return [gr.update(visible=False), ""]
        shop = self.desk.workshop
        options = self.form.chosen(shop.options, values)
        try:
            stills = shop.preview(path_of(path), identity, version or "production", face, options)
        except FaceswapError as error:
            return [gr.update(visible=False), words.problem(error)]
        return [gr.update(value=stills, visible=True), ""]

    def of_result(self, swapped: Swapped | None) -> Any:
        """The slider's value: a frame of the written video beside the target's."""
        if swapped is None:
            return gr.skip()
        stills = (self.desk.workshop.still(swapped.target), self.desk.workshop.still(swapped.result))
        return gr.update(value=stills, visible=True)

    def follow(self, looked: Any, choices: Sequence[Any], asked: Sequence[Any], note: gr.HTML) -> None:
        """Show the target when its faces are known, and again when another face, version or option is chosen.

        Args:
            looked: the event after which the faces are known.
            choices: the events of a choice of a face.
            asked: the components that :meth:`of_target` takes the values of.
            note: says what went wrong.
        """
        shown: dict[str, Any] = {"show_progress_on": [self.slider], **self.desk.work}
        outputs = [self.slider, note]
        for event in (looked.success, *(choice.then for choice in choices)):
            event(self.of_target, asked, outputs, **shown)
        for change in (self.desk.identity.change, self.desk.version.change, *self.form.changes()):
            change(self.of_target, asked, outputs, trigger_mode="always_last", **shown)
