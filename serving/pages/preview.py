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
from serving.results.swapped import Swapped


@dataclass(frozen=True)
class FramePreview:
    """A frame under a slider, and the form whose options it shows.

    Attributes:
        slider: before and after.
        moment: of the frame; hidden where the video does not tell its length.
        chosen: what the user has set it to, s; None: the frame is the one that shows the most faces.
    """

    desk: Desk
    form: OptionsForm
    slider: gr.ImageSlider
    moment: gr.Slider
    chosen: gr.State

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
        moment = gr.Slider(
            0,
            1,
            step=0.04,
            label="Frame to look at, seconds from the start",
            info="the faces to choose from are the ones of this frame",
            visible=False,
            elem_id=f"{name}-moment",
        )
        return cls(desk, form, slider, moment, gr.State(None))

    @property
    def moments(self) -> list[Any]:
        """The components of :meth:`first_moment`."""
        return [self.moment, self.chosen]

    @staticmethod
    def first_moment(length: float = 0.0, second: float = 0.0) -> list[Any]:
        """The values for a new video.

        Args:
            length: of the video, s; 0: unknown, or there is none.
            second: of the frame that is shown first.
        """
        last = max(0.0, length - 0.05)
        return [gr.update(maximum=max(last, 0.1), value=min(second, last), visible=last > 0.1), None]

    def of_target(
        self,
        path: str | None,
        identity: str | None,
        version: str | None,
        face: int,
        second: float | None,
        *values: Any,
    ) -> list[Any]:
        """Values for the slider and a note: one frame of the target, swapped with the form's values."""
        if path is None or not identity:
            return [gr.update(visible=False), ""]
        shop = self.desk.workshop
        options = self.form.chosen(shop.options, values)
        try:
            stills = shop.preview(path_of(path), identity, version or "production", face, options, second)
        except FaceswapError as error:
            return [gr.update(visible=False), words.problem(error)]
        return [gr.update(value=stills, visible=True), ""]

    def of_result(self, swapped: Swapped | None, second: float | None) -> Any:
        """The slider's value: a frame of the written video beside the target's."""
        if swapped is None:
            return gr.skip()
        shop = self.desk.workshop
        stills = shop.still(swapped.target, second), shop.still(swapped.result, second)
        return gr.update(value=stills, visible=True)

    def follow(
        self, looked: Sequence[Any], choices: Sequence[Any], asked: Sequence[Any], note: gr.HTML
    ) -> None:
        """Show the target when its faces are known, and again when another face, version or option is chosen.

        Args:
            looked: the events after which the faces are known.
            choices: the events of a choice of a face.
            asked: the components that :meth:`of_target` takes the values of.
            note: says what went wrong.
        """
        shown: dict[str, Any] = {"show_progress_on": [self.slider], **self.desk.work}
        outputs = [self.slider, note]
        for event in (*(one.success for one in looked), *(choice.then for choice in choices)):
            event(self.of_target, asked, outputs, **shown)
        changes = [self.desk.identity.change, self.desk.version.change, *self.form.changes()]
        gr.on(changes, self.of_target, asked, outputs, trigger_mode="always_last", **shown)
