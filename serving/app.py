"""The app: one page with a choice of version above its tabs."""

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from faceswap.faces.finding.finder import finder_named, measuring_finder
from faceswap.jobs.fictional import example_media as examples
from faceswap.settings import Settings
from serving import api
from serving import html as words
from serving.catalogue import Catalogue
from serving.guard.gate import GuardedBlocks
from serving.guard.limits import Limits
from serving.pages import compare, live, picture, verify, versions, video
from serving.pages.desk import Desk, pickers
from serving.results.outbox import Outbox
from serving.work import Workshop

_TICK = 3.0
"""Seconds after which an open page asks whether anything has changed."""


def folder_of(settings: Settings) -> Path:
    """Where examples, uploads and results lie."""
    return settings.cache_path / "app"


def workshop_of(settings: Settings) -> Workshop:
    """The workshop that the settings describe."""
    return Workshop(
        Catalogue(settings.app_memory_mb, settings.app_poll_seconds),
        finder_named(settings.detector),
        Outbox(folder_of(settings) / "results", settings.app_keep_hours * 3600, settings.outputs),
        Limits.of(settings),
        measurer=measuring_finder(settings.detector),
    )


def render_examples(folder: Path) -> BaseProcess | None:
    """Render the examples that are missing, in a process that gives its memory (300 MB) back when it is done.

    Returns:
        the process; None where nothing is missing.
    """
    if all(path.exists() for path in (*examples.example_pictures(folder), examples.example_clip(folder))):
        return None
    process = multiprocessing.get_context("spawn").Process(
        target=examples.write_all_examples, args=[folder], name="examples", daemon=True
    )
    process.start()
    return process


def build(workshop: Workshop, settings: Settings) -> gr.Blocks:
    """The page over a workshop."""
    catalogue = workshop.catalogue
    state = catalogue.state
    keep = int(settings.app_keep_hours * 3600)
    folder = folder_of(settings) / "examples"
    gr.set_static_paths([folder])  # served from where they lie, and never deleted
    with GuardedBlocks(
        [Path(get_upload_folder()), folder],
        title="faceswap",
        analytics_enabled=False,
        delete_cache=(max(1, keep // 10), keep),
    ) as page:
        head = gr.HTML(words.header(state), elem_id="head", padding=False)
        first = gr.HTML(words.nothing_registered(state), elem_id="first-note", padding=False)
        with gr.Row(elem_id="pickers"):
            who, which = pickers(state, None, None)
            identity = gr.Dropdown(
                choices=who["choices"], value=who.get("value"), label="Whose likeness", elem_id="identity"
            )
            version = gr.Dropdown(
                choices=which["choices"], value=which.get("value"), label="Version", elem_id="version"
            )
            target_consent = gr.Textbox(
                label="Who allows to edit the target"
                + (" (required)" if settings.require_target_consent else ""),
                placeholder="name, and by what; it is written into the result",
                max_length=200,
                elem_id="target-consent",
            )
        desk = Desk(
            workshop,
            identity,
            version,
            target_consent,
            examples.example_pictures(folder),
            examples.example_clip(folder),
            settings.app_workers,
        )
        api.build(workshop, settings.app_workers)  # before the tabs, whose functions would take its names
        with gr.Tabs():
            with gr.Tab("Picture", id="picture"):
                cast_one = picture.build(desk)
            with gr.Tab("Video", id="video"):
                video.build(desk)
            with gr.Tab("Compare", id="compare", elem_id="compare-tab"):
                comparable, cast_two = compare.build(desk)
            with gr.Tab("Live", id="live"):
                live.build(desk)
            with gr.Tab("Versions", id="versions"):
                table = versions.build(desk)
            with gr.Tab("Verify", id="verify"):
                verify.build(desk)
        seen = gr.State(None)

        def tick(last: Any, who: str | None, which: str | None) -> list[Any]:
            now, cast = catalogue.state, desk.ready_pictures()
            if last == (now.rows, now.problem, len(cast)):
                return [gr.skip()] * len(changing)
            chosen, numbered = pickers(now, who, which)
            return [
                words.header(now),
                words.nothing_registered(now),
                chosen,
                numbered,
                gr.update(choices=compare.version_names(now)),
                versions.overview(now),
                *cast_one.values(desk),
                *cast_two.values(desk),
                (now.rows, now.problem, len(cast)),
            ]

        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        changing = [
            head,
            first,
            identity,
            version,
            comparable,
            table,
            *cast_one.outputs,
            *cast_two.outputs,
            seen,
        ]
        gr.Timer(_TICK).tick(tick, [seen, identity, version], changing, **quiet)
        page.load(tick, [seen, identity, version], changing, **quiet)
        identity.input(
            lambda who, which: pickers(catalogue.state, who, which)[1], [identity, version], version, **quiet
        )
    page.queue(max_size=settings.app_queue, default_concurrency_limit=settings.app_workers)
    return page
