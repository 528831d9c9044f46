"""The tab Compare: one target through several versions or identities, side by side."""

from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError
from faceswap.evaluation.single import SwapMeasures
from faceswap.swap.options import SwapOptions
from serving import html as words
from serving.catalogue import State
from serving.components import Picture, path_of
from serving.pages.desk import Desk
from serving.pages.options import OptionsForm
from serving.pages.picker import Examples, FacePicker
from serving.results import metric_cards
from serving.results.swapped import Swapped
from serving.work import ALL, Workshop

_MOST = 6
_KEYS = ("identity_distance", "sharpness", "lip_gap_error", "pose_error_degrees")
_EMPTY = words.empty("Nothing to compare yet", "Choose a target and two or more versions.")


def version_names(state: State) -> list[str]:
    """Everything that can be compared: ``ada@production``, ``ada/3``, aliases first."""
    aliases = [f"{row.version.identity}@{alias}" for row in state.rows for alias in row.aliases]
    return sorted(aliases, key=lambda name: not name.endswith("@production")) + [
        str(row.version) for row in state.rows
    ]


def compare(
    workshop: Workshop,
    path: str | None,
    names: list[str],
    options: SwapOptions | None = None,
    face: int = ALL,
    target_consent: str = "",
) -> tuple[list[Swapped], list[tuple[str, FaceswapError]]]:
    """All swaps that could be made, and what went wrong with the others.

    Args:
        path: the target picture.
        names: ``NAME@alias`` or ``NAME/3``.
        options: of all swaps; None: the workshop's.
        face: 1 is the largest; 0: all.
        target_consent: as for :meth:`Workshop.picture`.
    """
    made: list[Swapped] = []
    wrong: list[tuple[str, FaceswapError]] = []
    for name in names[:_MOST]:
        identity, alias, choice = name.partition("@")
        if not alias:
            identity, _, choice = name.rpartition("/")
        try:
            made.append(
                workshop.picture(
                    path_of(path), identity, choice, face, options=options, target_consent=target_consent
                )
            )
        except FaceswapError as error:
            wrong.append((name, error))
    return made, wrong


def _graded(key: str, value: float | None) -> str:
    return f'<i class="{metric_cards.grade(key, value)}">{metric_cards.shown(key, value)}</i>'


def comparison(made: list[Swapped], measures: list[SwapMeasures]) -> str:
    """The measures of all swaps as one table."""
    rows = [
        [
            f"<b>{swapped.served.row.version}</b>",
            *(_graded(key, getattr(values, key)) for key in _KEYS),
            f"{1000 * swapped.seconds:.0f} ms",
        ]
        for swapped, values in zip(made, measures, strict=True)
    ]
    return words.table(["version", *(metric_cards.title(key).lower() for key in _KEYS), "time"], rows)


def build(desk: Desk) -> tuple[gr.Dropdown, Examples]:
    """Lay the tab out and wire it.

    Returns:
        the choice of versions and the examples, for the app to keep up to date.
    """
    state = desk.catalogue.state
    known = version_names(state)
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=4, min_width=300):
            target = Picture(
                label="Target",
                type="filepath",
                image_mode=None,
                sources=["upload", "webcam", "clipboard"],
                height=300,
                elem_id="compare-target",
            )
            versions = gr.Dropdown(
                known,
                value=[name for name in known if name.endswith("@production")][:3],
                multiselect=True,
                max_choices=_MOST,
                label=f"Versions, at most {_MOST}",
                elem_id="compare-versions",
            )
            start = gr.Button("Compare", variant="primary", elem_id="compare-start")
            picker = FacePicker.build("compare")
            form = OptionsForm.build("compare", desk.workshop.options)
        with gr.Column(scale=8, min_width=320):
            empty = gr.HTML(_EMPTY, elem_id="compare-empty")
            note = gr.HTML("", elem_id="compare-note")
            gallery = gr.Gallery(
                label="Side by side",
                columns=3,
                height="auto",
                object_fit="contain",
                visible=False,
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_id="compare-result",
            )
            measures = gr.HTML("", elem_id="compare-measures", padding=False)
    gallery_of_examples = Examples.build("compare", desk, target)
    results = gr.State([])

    def look(path: str | None) -> list[Any]:
        """A new target: the faces to choose from; what is wrong with it, the swaps tell."""
        try:
            return picker.values(desk.workshop.faces_of_picture(path_of(path)).portraits() if path else [])
        except FaceswapError:
            return picker.values([])

    def run(path: str | None, names: list[str] | None, face: int, *values: Any) -> list[Any]:
        *chosen, target_consent = values
        options = form.chosen(desk.workshop.options, chosen)
        made, wrong = compare(desk.workshop, path, names or [], options, face, target_consent or "")
        messages = {str(error): words.problem(error) for _, error in wrong}  # one target, one message
        items = [(str(path), "target")] if path and made else []
        items += [(str(one.result), str(one.served.row.version)) for one in made]
        notices = "".join(words.note("warn", one.served.notice) for one in made if one.served.notice)
        text = "".join(messages.values()) + notices
        if not names:
            text = words.note("info", "Choose at least one version")
        waiting = words.measuring() if made else ""
        return [
            gr.update(visible=not made and not text),
            text,
            gr.update(value=items, visible=bool(made)),
            waiting,
            made,
        ]

    def measure(made: list[Swapped]) -> str:
        if not made:
            return ""
        try:
            return comparison(made, [desk.workshop.measure(one) for one in made])
        except FaceswapError as error:
            return words.note("warn", "Not measured", error.message)

    asked = [target, versions, picker.chosen, *form.inputs, desk.target_consent]
    results_of_run = [empty, note, gallery, measures, results]
    busy: dict[str, Any] = {"show_progress_on": [empty, gallery], **desk.work}
    looks = target.change(look, target, picker.outputs, trigger_mode="always_last", **busy)
    runs = [
        event(run, asked, results_of_run, **busy)
        for event in (looks.then, *(c.then for c in picker.choices()))
    ]
    changes = [start.click, *form.changes()]
    for one in (*runs, gr.on(changes, run, asked, results_of_run, trigger_mode="always_last", **busy)):
        one.then(measure, results, measures, show_progress="hidden", trigger_mode="always_last", **desk.work)
    return versions, gallery_of_examples
