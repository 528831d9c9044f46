"""Gradio's components, where the app needs them to behave a little differently."""

from pathlib import Path
from typing import Any

import gradio as gr

class Picture(gr.Image):
    """A picture that arrives as the file that was dropped, so that what is wrong with it is told in our words.

    ``gr.Image`` opens the file itself and answers a damaged one with "Error". The path was checked before: it lies
    in the folder of uploads or among the examples. Make it with ``type="filepath", image_mode=None``.
    """

    is_template = True  # Gradio shows it with the parts of gr.Image

    def preprocess(self, payload: Any) -> str | None:
        """The file's path, or None."""
        if payload is None:
            return None
        if (payload.url or "").startswith("data:"):  # a picture of the camera
            return str(super().preprocess(payload))
        return payload.path
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Clip(gr.Video):
    """A video that arrives as the file that was dropped: nothing is converted on the way."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The file's path, or None."""
        return None if payload is None else payload.path
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def path_of(value: str | None) -> Path | None:
    """What a component gives, as a path."""
    return Path(value) if value else None
