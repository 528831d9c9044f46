"""What the tabs share: the workshop, the choice of a version, the examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from serving import html as words
from serving.catalogue import Catalogue, State
from serving.work import Workshop


@dataclass(frozen=True)
class Desk:
    """Handed to every tab.

    Attributes:
        workshop: does the work.
        identity, version, target_consent: the components above the tabs.
        pictures, clip: example files; they may not be rendered yet.
        workers: pictures at a time.
    """

    workshop: Workshop
    identity: gr.Dropdown
    version: gr.Dropdown
    target_consent: gr.Textbox
    pictures: Sequence[Path]
    clip: Path
    workers: int

    @property
    def catalogue(self) -> Catalogue:
        """The workshop's."""
        return self.workshop.catalogue

    def ready_pictures(self) -> list[tuple[str, str]]:
        """Path and caption of the examples that are rendered."""
        return [(str(path), path.stem) for path in self.pictures if path.exists()]

    @property
    def work(self) -> dict[str, Any]:
        """How Gradio queues the work on pictures: so many at a time over all tabs."""
        return {"concurrency_id": "pictures", "concurrency_limit": self.workers, "api_visibility": "private"}


def version_choices(state: State, identity: str | None) -> list[tuple[str, str]]:
    """(shown, value) for the choice of a version: ``production → 3``, ``3``."""
    if not identity:
        return []
    shown = []
    for choice in state.choices(identity):
        number = state.find(identity, choice).version.version
        shown.append((f"version {choice}" if choice.isdecimal() else f"{choice} → {number}", choice))
    return shown


def pickers(state: State, identity: str | None, version: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is to change in the two choices.

    A choice that still exists is not set again: while the answer is on its way, the user may choose another.
    """
    people = state.identities
    who = identity if identity in people else (people[0] if people else None)
    versions = version_choices(state, who)
    values = [value for _, value in versions]
    chosen = version if version in values else (values[0] if values else None)
    return _changed(people, identity, who), _changed(versions, version, chosen)


def _changed(choices: Sequence[Any], before: str | None, now: str | None) -> dict[str, Any]:
    return gr.update(choices=choices) if before == now else gr.update(choices=choices, value=now)


def notice(text: str) -> str:
    """What the catalogue has to say about a version; empty: nothing."""
    return words.note("warn", text) if text else ""
