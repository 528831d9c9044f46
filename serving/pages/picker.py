"""The faces of a target to choose from, and the examples to click: on the tabs Picture, Video and Compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from serving import html as words
from serving.pages.desk import Desk
from serving.work import ALL

QUIET: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
"""For small events that only move values about."""


@dataclass(frozen=True)
class FacePicker:
    """The found faces of a target; hidden where there is only one, since there is nothing to choose.

    Attributes:
        title: how many there are.
        gallery: their portraits.
        everybody: takes all of them again.
        chosen: the number of the chosen face, or ``ALL``.
    """

    title: gr.HTML
    gallery: gr.Gallery
    everybody: gr.Button
    chosen: gr.State

    @classmethod
    def build(cls, name: str) -> "FacePicker":
        """Make the components where they stand."""
        title = gr.HTML("", elem_id=f"{name}-found", padding=False)
        gallery = gr.Gallery(
            show_label=False,
            columns=5,
            height="auto",
            allow_preview=False,
            visible=False,
            interactive=False,
            buttons=[],
            elem_id=f"{name}-faces",
        )
        everybody = gr.Button("Swap all faces", size="sm", visible=False, elem_id=f"{name}-all")
        return cls(title, gallery, everybody, gr.State(ALL))

    @property
    def outputs(self) -> list[Any]:
        """All components, in the order of :meth:`values`."""
        return [self.title, self.gallery, self.everybody, self.chosen]

    @staticmethod
    def values(portraits: Sequence[Any]) -> list[Any]:
        """The values for a new target, with all of its faces chosen."""
        several = len(portraits) > 1
        items = [(image, f"face {number}") for number, image in enumerate(portraits, 1)]
        return [
            words.faces_found(len(portraits)),
            gr.update(value=items, visible=several, selected_index=None),
            gr.update(visible=several),
            ALL,
        ]

    def choices(self) -> list[Any]:
        """The events of a choice; when they are through, ``chosen`` holds it."""

        def one(event: gr.SelectData) -> int:
            return int(event.index) + 1

        return [
            self.gallery.select(one, None, self.chosen, **QUIET),
            self.everybody.click(
                lambda: (ALL, gr.update(selected_index=None)), None, [self.chosen, self.gallery], **QUIET
            ),
        ]


def examples(name: str, desk: Desk, target: Any) -> gr.Gallery:
    """The pictures of fictional people; a click makes one the target.

    Returns:
        the gallery, for the app to fill when they have been rendered.
    """
    gr.HTML(words.subtitle("Or one of these people, who do not exist"), padding=False)
    gallery = gr.Gallery(
        desk.ready_pictures(),
        show_label=False,
        columns=4,
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id=f"{name}-examples",
    )

    def take(event: gr.SelectData) -> str:
        return desk.ready_pictures()[int(event.index)][0]

    gallery.select(take, None, target, **QUIET)
    return gallery
