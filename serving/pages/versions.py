"""The tab Versions: everything that is registered, and where one comes from."""

from html import escape
from typing import Any

import gradio as gr

from faceswap.errors import RegistryError
from faceswap.registry.cards.model_card import markdown
from serving import html as words
from serving.catalogue import State
from serving.lineage import lineage, versions_table
from serving.pages.desk import Desk


def overview(state: State) -> str:
    """The table, or what to do where there is nothing."""
    return versions_table(state) if state.rows else words.nothing_registered(state)


def origin_of(state: State, identity: str | None, version: str | None) -> str:
    """The lineage of the version that is chosen above the tabs."""
    if not identity or not version:
        return ""
    try:
        row = state.find(identity, version)
        card = f"<details><summary>Model card</summary><pre>{escape(markdown(row.version, row.tags))}</pre></details>"
        return f"<h3>{escape(identity)}, {escape(version)}</h3>" + lineage(row) + card
    except RegistryError as error:
        return words.problem(error)


def build(desk: Desk) -> gr.HTML:
    """Lay the tab out and wire it.

    Returns:
        the table, for the app to keep up to date.
    """
    state = desk.catalogue.state
    table = gr.HTML(overview(state), elem_id="versions-table", padding=False)
    first = origin_of(state, desk.identity.value, desk.version.value)
    origin = gr.HTML(first, elem_id="versions-origin", padding=False)

    def show(identity: str | None, version: str | None) -> Any:
        return origin_of(desk.catalogue.state, identity, version)

    gr.on(
        [desk.identity.change, desk.version.change, table.change],
        show,
        [desk.identity, desk.version],
        origin,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return table
