"""Copies of a person that a machine has fetched or made for itself: on this one and on a Dask cluster's workers."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

from faceswap import storage
from faceswap.dask_cluster import ask_workers
from faceswap.errors import ConsentError, FaceswapError, SettingsError, StorageError
from faceswap.faces.faceset import HEADER
from faceswap.inference.graph_cache import graph_file
from faceswap.provenance.consent.remains import Item
from faceswap.provenance.metadata import read_provenance
from faceswap.registry import consents
from faceswap.registry.cards import version_card
from faceswap.registry.graphs import source_of
from faceswap.settings import settings
from faceswap.storage.cache import copies, remove_unused

HERE, ON_WORKERS = "cache", "worker's cache"
"""Kinds of things, by whose they are."""
_MEDIA = "a fetched copy of media, whoever is in it"
_LEFT = "Workers of a Dask cluster that have not joined it now drop what they have of the person when they are started."


def find(identity: str) -> Iterator[Item]:
    """What the cache folder of this machine has of a person; media, of which nobody knows, count as theirs."""
    cache = settings().cache_path
    for header in sorted(cache.glob(f"face-sets/*/{HEADER}")):
        if identity_in(header) == identity:
            yield Item(kind=HERE, place=str(header.parent), about="a downloaded face set")
    for card in sorted(cache.glob(f"decoders/*/{version_card.CARD}")):
        if identity_in(card) == identity:
            if (graph := _graph_of(card)) is not None:
                yield Item(kind=HERE, place=str(graph), about="the graph of a downloaded version")
            yield Item(kind=HERE, place=str(card.parent), about="a downloaded version")
    for file in sorted(cache.glob("app/results/*/*")):
        if file.is_file() and identity in references(file):
            yield Item(kind=HERE, place=str(file.parent), about="a result of the app")
    for copy in copies(cache / "media"):
        yield Item(kind=HERE, place=str(copy.path), about=_MEDIA)


def find_on_workers(identity: str) -> tuple[list[Item], list[str]]:
    """What the workers of the settings' cluster have, and, in sentences, what is not known.

    A scheduler that does not answer holds nothing up: what starts anew drops it (:func:`drop_withdrawn`).
    """
    address = settings().dask_scheduler
    if not address:
        return [], []
    try:
        answers = ask_workers(address, _kept, identity)
    except SettingsError as error:
        return [], [f"{error.message}. {_LEFT}"]
    found = [
        Item(kind=ON_WORKERS, place=f"{host}:{item.place}", about=f"{item.about}, on the worker {host}")
        for host, kept in answers.values()
        for item in kept
    ]
    return list(dict.fromkeys(found)), [_LEFT]


def remove(item: Item) -> None:
    """Let a thing of :func:`find` or :func:`find_on_workers` go; one that is not there any more is no error.

    Raises:
        StorageError: a process uses it at this moment, or it can't be deleted.
        SettingsError: the cluster does not answer any more.
    """
    if item.kind == HERE:
        _drop(item.place)
        return
    host, _, place = item.place.partition(":")
    address = settings().dask_scheduler
    where = ask_workers(address, _let_go)
    # workers that share a cache do not get in each other's way: one of them does it
    one_each = {folder: worker for worker, folder in where.items() if folder[0] == host}
    for answer in ask_workers(address, _dropped, place, only=one_each.values()).values():
        if answer:
            raise StorageError(answer, "wait until the worker is done")


def drop_withdrawn() -> None:
    """What a worker does when it starts: what it has of people who have withdrawn goes, and so do fetched media."""
    cache = settings().cache_path
    files = [*cache.glob(f"face-sets/*/{HEADER}"), *cache.glob(f"decoders/*/{version_card.CARD}")]
    items = [Item(kind=HERE, place=str(one.path), about=_MEDIA) for one in copies(cache / "media")]
    for identity in sorted({identity_in(file) for file in files}):
        if not _stands(identity):
            items += find(identity)
    for item in dict.fromkeys(items):
        try:
            remove(item)
        except StorageError:
            continue  # another worker of this machine is at it


def references(file: Path) -> list[str]:
    """The people whose likeness an output says that it shows; none: it is no output."""
    try:
        origin = read_provenance(file)
    except FaceswapError:
        return []
    return origin.reference.split(" + ") if origin else []


def identity_in(header: Path) -> str:
    """Whom a face set's header or a version's card names; empty: it can't be read."""
    try:
        return str(json.loads(header.read_bytes()).get("identity", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _kept(identity: str) -> tuple[str, list[Item]]:
    """On a worker: its host and what it has."""
    return socket.gethostname(), list(find(identity))


def _let_go() -> tuple[str, str]:
    """On a worker: nobody stays in its memory; its host and its cache."""
    from faceswap.jobs.swap_crews import recipe  # imports what finds faces

    recipe.forget()
    return socket.gethostname(), str(settings().cache_path)


def _dropped(place: str) -> str:
    """On a worker: let a thing of its cache go; why that can't be, empty: it is gone."""
    if not Path(place).resolve().is_relative_to(settings().cache_path):
        return ""
    try:
        _drop(place)
    except FaceswapError as error:
        return f"The worker {socket.gethostname()} keeps {place}: {error.message}"
    return ""


def _drop(place: str) -> None:
    path = Path(place)
    if path.parent == settings().cache_path / "media":
        if path.exists() and not remove_unused(path):
            raise StorageError(f"{place} is in use", "wait until the work that uses it is done")
        return
    storage.delete(place)


def _stands(identity: str) -> bool:
    """Whether a person is known not to have withdrawn."""
    try:
        return not consents.life_of(identity).withdrawals
    except ConsentError:
        return False


def _graph_of(card: Path) -> Path | None:
    """Of a version that was registered without a graph, and got one here."""
    try:
        file = graph_file(source_of(version_card.read(card)))
    except FaceswapError:
        return None
    return file if file.exists() else None
