"""The tab Verify: drop a file, and see what it tells of its origin."""

from html import escape
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from faceswap.jobs.verify_job import verify_file
from faceswap.provenance.metadata import VIDEO_SUFFIXES
from faceswap.provenance.verify import Finding, Verdict
from serving import html as words
from serving.components import path_of
from serving.pages.desk import Desk

_KINDS = {
    Finding.SIGNED: "info",
    Finding.ALTERED: "bad",
    Finding.MARKED: "warn",
    Finding.LABELLED: "warn",
    Finding.NOTHING: "warn",
}
_EMPTY = words.empty(
    "No file yet", "Drop a picture or a video: its signature, pixels and metadata are looked at."
)


def verdict(found: Verdict) -> str:
    """What was found, as HTML."""
    lines = [*(f"Changed: {line}" for line in found.changed), *found.details]
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    title = str(found.finding).capitalize()
    kind = "warn" if found.finding is Finding.SIGNED and not found.known else _KINDS[found.finding]
    return words.note(kind, title, found.meaning) + (f"<ul>{listed}</ul>" if listed else "")


def build(desk: Desk) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=5, min_width=300):
            file = gr.File(label="Picture or video", type="filepath", elem_id="verify-file")
        with gr.Column(scale=7, min_width=300):
            answer = gr.HTML(_EMPTY, elem_id="verify-answer", padding=False)

    def look(path: str | None) -> Any:
        if path is None:
            return _EMPTY
        try:
            given = path_of(path)
            assert given is not None  # checked
            limits = desk.workshop.limits
            if given.suffix.lower() in VIDEO_SUFFIXES:
                limits.check_video(given)
            else:
                limits.check_picture(given)
            return verdict(verify_file(given))
        except FaceswapError as error:
            return words.problem(error)

    file.change(look, file, answer, show_progress_on=[answer], **desk.work)
