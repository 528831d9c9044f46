"""Gradio's components, where the app needs them to behave a little differently."""

from abc import ABCMeta
from pathlib import Path
from typing import Any

import gradio as gr


class _Quiet(type(gr.Image)):  # type: ignore[misc]  # mypy takes no computed base
    """Makes a class as Python does: Gradio's own metaclass writes a ``.pyi`` beside the module."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> type:
        """The class; its events are those of its base."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class Picture(gr.Image, metaclass=_Quiet):
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


class Clip(gr.Video, metaclass=_Quiet):
    """A video that arrives as the file that was dropped: nothing is converted on the way."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The file's path, or None."""
        return None if payload is None else payload.path


def path_of(value: str | None) -> Path | None:
    """What a component gives, as a path."""
    return Path(value) if value else None
