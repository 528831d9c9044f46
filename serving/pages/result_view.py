"""The right-hand side of the tabs Picture and Video: the result and what is known of it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from serving import html as words
from serving.lineage import lineage
from serving.pages.desk import Desk, notice
from serving.results import metric_cards
from serving.results.swapped import Swapped


@dataclass(frozen=True)
class ResultPanel:
    """Components of a result; :meth:`shown` and :meth:`failed` give the values for all of them in this order.

    Attributes:
        note: errors and notices.
        view: what shows the result: a slider or a player.
        empty: stands in for it.
        done: one line on the work.
        download: the file itself, with its provenance.
        measures: cards.
        origin: of the version.
        state: the result, for the measures.
    """

    note: gr.HTML
    view: gr.ImageSlider | gr.Video
    empty: gr.HTML
    done: gr.HTML
    download: gr.DownloadButton
    measures: gr.HTML
    origin: gr.HTML
    details: gr.Accordion
    state: gr.State

    @classmethod
    def build(cls, name: str, view: gr.ImageSlider | gr.Video, empty: str) -> "ResultPanel":
        """Make the components where they stand; the view was made before, hidden."""
        placeholder = gr.HTML(empty, elem_id=f"{name}-empty")
        note = gr.HTML("", elem_id=f"{name}-note")
        with gr.Row(elem_classes="deliver"):
            done = gr.HTML("", elem_id=f"{name}-done", padding=False)
            download = gr.DownloadButton(
                "Download with its origin",
                visible=False,
                variant="primary",
                size="md",
                elem_id=f"{name}-download",
            )
        measures = gr.HTML("", elem_id=f"{name}-measures", padding=False)
        with gr.Accordion("Where this likeness comes from", open=False, visible=False) as details:
            origin = gr.HTML("", elem_id=f"{name}-origin", padding=False)
        return cls(note, view, placeholder, done, download, measures, origin, details, gr.State(None))

    @property
    def outputs(self) -> list[Any]:
        """All components, in the order of the values."""
        return [
            *(self.note, self.view, self.empty, self.done, self.download),
            *(self.measures, self.origin, self.details, self.state),
        ]

    @staticmethod
    def shown(swapped: Swapped, view: Any) -> list[Any]:
        """The values for a result."""
        served = swapped.served
        line = words.done(
            str(served.row.version),
            swapped.seconds,
            len(swapped.faces),
            swapped.video,
            swapped.remarks,
            swapped.link,
        )
        return [
            notice(served.notice),
            gr.update(value=view, visible=True),
            gr.update(visible=False),
            line,
            gr.update(value=str(swapped.result), visible=True),
            words.measuring(),
            lineage(served.row),
            gr.update(visible=True),
            swapped,
        ]

    @staticmethod
    def failed(error: FaceswapError | None) -> list[Any]:
        """The values where there is no result: because of an error, or (None) since there is no target yet."""
        message = words.problem(error) if error else ""
        hidden = gr.update(value=None, visible=False)
        return [
            message,
            hidden,
            gr.update(visible=error is None),
            "",
            hidden,
            "",
            "",
            gr.update(visible=False),
            None,
        ]

    def measure_after(self, event: Any, desk: Desk) -> None:
        """Measure when the result has been delivered."""

        def measure(swapped: Swapped | None) -> str:
            if swapped is None:
                return ""
            try:
                return metric_cards.measured(
                    desk.workshop.measure(swapped), swapped.served.row.version.identity
                )
            except FaceswapError as error:
                return words.note("warn", "Not measured", error.message)

        # a result that comes while the one before is measured must not stay unmeasured
        event.then(
            measure,
            self.state,
            self.measures,
            show_progress="hidden",
            trigger_mode="always_last",
            **desk.work,
        )
