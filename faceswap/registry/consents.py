"""Consent where it is used: one function asks both places that hold it, the face sets' and MLflow.

Everything that trains, swaps, measures, promotes or serves comes through :func:`require`, at the moment of use: also a
network that was loaded before (:class:`PermittedNetwork`). What was read counts for a second, so that a withdrawal
holds from the next one on in every process and on every machine that reaches one of the two places.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities import RunTag
from numpy.typing import NDArray

from faceswap.errors import ConsentError, ConsentUnknown, StorageError, TrackingError
from faceswap.faces.crispness import Crispness
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry
from faceswap.inference.onnx_graph import Graph, OnnxNetwork
from faceswap.provenance.consent import event_files
from faceswap.provenance.consent.life import Event, Life, Purpose
from faceswap.provenance.consent.record import Consent
from faceswap.settings import settings
from faceswap.tracking import connect, explained
from faceswap.tracking.experiments import all_ids, id_for

logger = logging.getLogger(__name__)
_FRESH = 1.0
"""Seconds for which what was read counts."""
_IDENTITY, _EVENT = "consent.identity", "consent.event"
_lock = threading.Lock()
_Key = tuple[str, str, str]
_seen: dict[_Key, tuple[float, tuple[Event, ...]]] = {}
_said: dict[tuple[str, str], tuple[float, tuple[Event, ...]]] = {}
"""What each place said last of whom, and when: counts while it does not answer."""
_AGAIN = 5.0
"""Seconds between two questions to a place that did not answer the last time."""
_away: "dict[str, _Away]" = {}
"""The places that did not answer the last time, by their address."""


@dataclass
class _Away:
    """Why a place did not answer, when that was, and whether it is being asked again."""

    problem: str
    since: float
    asking: bool = False


def life_of(identity: str, *before: Consent | None, fresh: bool = False) -> Life:
    """The history of a person's consent.

    Args:
        identity: whose.
        before: the consents of face sets or versions, which count where nothing else was recorded.
        fresh: do not take what was read within the last second.

    Raises:
        ConsentUnknown: neither place has answered for the setting ``consent_seconds``.
        ConsentError: a record is damaged.
    """
    key = _key(identity)
    with _lock:
        read, events = _seen.get(key, (0.0, ()))
    if fresh or not read or time.monotonic() - read >= _FRESH:
        events = tuple(_read(identity, wait=fresh))
        with _lock:
            _seen[key] = time.monotonic(), events
    if not events:
        events = tuple(Event.of_before(one) for one in before if one is not None and one.subject == identity)
    return Life.of(identity, events)


def require(
    identity: str, purpose: Purpose, *before: Consent | None, fresh: bool = False, unknown: bool = True
) -> None:
    """Make sure that a use of a likeness is allowed now.

    Args:
        identity, before, fresh: as for :func:`life_of`.
        purpose: of the use.
        unknown: let pass whom nothing is recorded of: versions carry the consent of their training themselves.

    Raises:
        ConsentError: it is not, or that can't be told.
    """
    life = life_of(identity, *before, fresh=fresh)
    if life.events or not unknown:
        life.require(purpose)


def allows(identity: str, purpose: Purpose) -> bool:
    """Whether :func:`require` lets a use pass."""
    try:
        require(identity, purpose)
    except ConsentError:
        return False
    return True


def require_all(identities: Iterable[str], purpose: Purpose, fresh: bool = False) -> None:
    """:func:`require` for several people."""
    for identity in identities:
        require(identity, purpose, fresh=fresh)


def write(event: Event) -> None:
    """Add an event to both places, and to each what only the other has.

    Raises:
        StorageError, TrackingError: one of them can't be written. What was written holds; the same call again does the
            rest.
    """
    try:
        event_files.write(event)
    except StorageError:
        client = connect()
        with explained("take a consent"):
            _write_to_mlflow(client, event)  # one place is enough to know of it
        raise
    finally:
        _forget(event.identity)
    synchronise(event.identity)


def synchronise(identity: str) -> None:
    """Give each of the two places the events that only the other has.

    Raises:
        StorageError, TrackingError: one of them does not answer.
    """
    client = connect()
    with explained("take a consent"):
        there = {event.id: event for event in _in_mlflow(client, identity)}
    here = {event.id: event for event in event_files.read(identity)}
    for event in there.values():
        if event.id not in here:
            event_files.write(event)
    with explained("take a consent"):
        for event in here.values():
            if event.id not in there:
                _write_to_mlflow(client, event)
    _forget(identity)


def _key(identity: str) -> _Key:
    return settings().tracking, settings().face_sets_root, identity


def _forget(identity: str) -> None:
    with _lock:
        _seen.pop(_key(identity), None)


def _read(identity: str, wait: bool) -> Iterable[Event]:
    """From both places; one that is away is passed over, as long as the other answers.

    Args:
        identity: whose.
        wait: also for a place that did not answer the last time.
    """

    def in_runs(whose: str) -> list[Event]:
        with explained("tell a consent"):
            client = _client()
            return _in_mlflow(client, whose) if client else []

    places = {
        f"{settings().s3_endpoint_url} {settings().face_sets_root}": event_files.read,
        settings().tracking: in_runs,
    }
    problems = [_ask(place, identity, read, wait) for place, read in places.items()]
    said = [_said[place, identity] for place in places if (place, identity) in _said]
    last = max((when for when, _ in said), default=-math.inf)
    if all(problems) and time.monotonic() - last >= settings().consent_seconds:
        if not wait:
            return _read(identity, wait=True)  # they may have come back
        raise ConsentUnknown(
            f"Whether {identity!r} consents can't be told: {'; '.join(problems)}",
            "start the MLflow server, or make the face sets reachable",
        )
    if any(problems):
        logger.debug("The consent of %s was read from one place only: %s", identity, "".join(problems))
    return [event for _, events in said for event in events]


def _ask(place: str, identity: str, read: Callable[[str], list[Event]], wait: bool) -> str:
    """Ask a place once more what it knows; returns why it does not answer, empty: it does.

    One that did not answer the last time is asked again in the background: no training and no swap waits for it.
    """
    with _lock:
        away = _away.get(place)
        if away and not wait:
            if not away.asking and time.monotonic() - away.since >= _AGAIN:
                away.asking = True
                behind = threading.Thread(
                    target=_ask_behind, args=(place, identity, read), daemon=True, name="consents"
                )
                behind.start()
            return away.problem
    began, problem = time.monotonic(), ""
    try:
        events = tuple(read(identity))
        with _lock:
            _said[place, identity] = began, events
    except (StorageError, TrackingError) as error:
        problem = error.message
    finally:
        with _lock:
            _away.pop(place, None)
            if problem:
                _away[place] = _Away(problem, time.monotonic())
    return problem


def _ask_behind(place: str, identity: str, read: Callable[[str], list[Event]]) -> None:
    with suppress(ConsentError):  # it answers: who asks next is told what is wrong there
        _ask(place, identity, read, wait=True)


def _client() -> mlflow.MlflowClient | None:
    """That of the settings; in a process that MLflow serves a model in, and which has no home, the process's own.

    None where there is no database yet, so that nothing is recorded in one: MLflow's own default would be made in the
    folder in which somebody happens to be.
    """
    uri = settings().tracking
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        return mlflow.MlflowClient() if mlflow.is_tracking_uri_set() else None
    return connect()


def _in_mlflow(client: mlflow.MlflowClient, identity: str) -> list[Event]:
    ids = all_ids(client)
    if not ids:
        return []
    found, token = [], None
    while True:
        page = client.search_runs(
            ids, f"tags.`{_IDENTITY}` = '{identity}'", max_results=1000, page_token=token
        )
        for run in page:
            try:
                found.append(Event.model_validate_json(run.data.tags.get(_EVENT, "")))
            except ValueError as error:
                raise ConsentError(
                    f"The consent record of {identity!r} in MLflow, run {run.info.run_id}, is damaged",
                    "delete that run; the record lies beside the face sets, too",
                ) from error
        if not (token := page.token):
            return found


def _write_to_mlflow(client: mlflow.MlflowClient, event: Event) -> None:
    tags = {
        "faceswap.kind": "consent",
        _IDENTITY: event.identity,
        _EVENT: event.model_dump_json(),
        "consent": event.kind,
        "consent.by": event.by,
        "consent.purposes": ", ".join(event.purposes),
        "consent.until": str(event.until or ""),
        "mlflow.note.content": f"{event.identity}: {event.kind} by {event.by}. {event.statement}",
    }
    name = f"{event.kind} {event.identity}"
    run = client.create_run(id_for(client, "consent"), tags=tags, run_name=name)
    client.log_batch(run.info.run_id, tags=[RunTag("consent.at", event.at.isoformat(timespec="seconds"))])
    client.set_terminated(run.info.run_id)


class PermittedNetwork(OnnxNetwork):
    """A version's network that makes pictures only while the person's consent allows it.

    Args:
        graph, geometry, crispness: as for :class:`OnnxNetwork`.
        consent: of the version's card: whose likeness it is, and what counts where nothing else was recorded.
        fine_detail: as for :class:`OnnxNetwork`.
    """

    def __init__(
        self,
        graph: Graph,
        geometry: Geometry,
        crispness: Crispness,
        consent: Consent,
        fine_detail: FineDetail | None = None,
    ) -> None:
        super().__init__(graph, geometry, crispness, fine_detail)
        self._consent = consent

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the network.

        Raises:
            ConsentError: the consent was withdrawn or has ended.
        """
        require(self._consent.subject, Purpose.SWAPPING, self._consent)
        return super().__call__(crops)


def without_withdrawn(identities: Collection[str], purpose: Purpose) -> list[str]:
    """Those of whom a use is allowed."""
    return [one for one in identities if allows(one, purpose)]
