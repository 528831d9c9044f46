"""What MLflow holds of a person, and how it goes: versions with their files, runs, pictures in runs of several people.

A run that is about one person alone goes as a whole; of one about several only its pictures do. What others' versions
learnt from a person can't be taken out of them: it is said.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any

import mlflow
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from faceswap.errors import RegistryError
from faceswap.provenance.consent.remains import Item
from faceswap.registry.artifact_places import present
from faceswap.registry.cards.version_card import ENCODER
from faceswap.registry.model_names import PREFIX
from faceswap.settings import settings
from faceswap.tracking import connect, explained
from faceswap.tracking.experiments import all_ids

_PICTURES = frozenset({".png", ".webp", ".jpg", ".jpeg", ".gif"})
_PAIR = re.compile(r"^(?:[\w]+\.)?(?P<reference>[\w.-]+?)-on-(?P<target>[\w.-]+?)\.[\w@]+$")
_PATIENCE = 30.0
"""Seconds to wait for others who write to the database."""
_COMPARED = re.compile(r"^(?:challenger|champion)\.(?P<target>[\w.-]+)\.[\w@]+$")


def find(identity: str) -> tuple[list[Item], list[str], list[str]]:
    """What there is of a person.

    Returns:
        what can go; what can't, in sentences; places of outputs that runs of swaps noted.

    Raises:
        TrackingError: MLflow does not answer.
    """
    client = connect()
    with explained(f"look for what there is of {identity}"):
        models, said = _models(client, identity)
        runs, outputs = _runs(client, identity)
    return models + runs, said, outputs


def face_set_places(identity: str) -> list[str]:
    """Where the face sets of a person lie that versions were trained with.

    Raises:
        TrackingError: MLflow does not answer.
    """
    client = connect()
    found: set[str] = set()
    with explained("list the runs"):
        for run in _all_runs(client):
            for entry in run.inputs.dataset_inputs if run.inputs else []:
                if _person_of(entry.dataset.name) == identity:
                    found.add(str(json.loads(entry.dataset.source).get("uri", "")))
    return sorted(found - {""})


def remove(item: Item) -> None:
    """Delete one thing that :func:`find` gave; nothing happens where it is gone.

    Raises:
        TrackingError, RegistryError: MLflow, or the store of its artifacts, does not do it.
    """
    client = connect()
    with explained(f"delete {item.kind} {item.place}"):
        try:
            _REMOVERS[item.kind](client, item.place)
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise


def forget_rows() -> str:
    """Overwrite what deleted rows leave in a database of one's own; says what stays where it can't be done."""
    uri = settings().tracking
    if not uri.startswith("sqlite:///"):
        return "Rows of deleted runs stay in the MLflow server's database until `mlflow gc` is run on the server."
    try:
        with closing(sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=_PATIENCE)) as database:
            database.execute("PRAGMA secure_delete = ON")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        return (
            f"Deleted rows can still be found in the file of the database ({error}): give the command again."
        )
    return ""


def _models(client: mlflow.MlflowClient, identity: str) -> tuple[list[Item], list[str]]:
    name = PREFIX + identity
    items: list[Item] = []
    said: list[str] = []
    encoders: dict[str, str] = {}
    versions = client.search_model_versions(f"name='{name}'")
    others = [
        one
        for model in client.search_registered_models(f"name LIKE '{PREFIX}%'", max_results=1000)
        if model.name != name
        for one in client.search_model_versions(f"name='{model.name}'")
    ]
    for version in versions:
        about = f"version {identity}/{version.version}"
        items.append(Item(kind="version", place=f"{name}/{version.version}", about=about))
        encoders[version.tags.get("encoder_digest", "")] = version.run_id or ""
    if versions or client.search_registered_models(f"name = '{name}'"):
        items.append(Item(kind="model", place=name, about=f"registered model {name}"))
    shared = {one.tags.get("encoder_digest", "") for one in others}
    for digest, run_id in encoders.items():
        if run_id and digest and digest not in shared:
            items.append(Item(kind="encoder", place=run_id, about="an encoder that no other version uses"))
    for one in others:
        if identity in _people_in(one.tags):
            said.append(
                f"{one.name.removeprefix(PREFIX)}/{one.version} was trained together with {identity}: its encoder has "
                f"seen this person, and its card holds their mean embedding (128 numbers). Train it anew without "
                f"{identity} and delete this version."
            )
    return items, said


def _people_in(tags: dict[str, str]) -> set[str]:
    try:
        found = json.loads(tags.get("face_sets", "{}"))
    except ValueError:
        return set()
    return set(found) if isinstance(found, dict) else set()


def _all_runs(client: mlflow.MlflowClient) -> Iterator[Run]:
    ids, token = all_ids(client), None
    while ids:
        page = client.search_runs(
            ids, "", run_view_type=ViewType.ACTIVE_ONLY, max_results=1000, page_token=token
        )
        yield from page
        if not (token := page.token):
            return


def _person_of(name: str) -> str:
    return name.rpartition(" (")[0]


def people_of(run: Run) -> set[str]:
    """Everybody whom a run names: its inputs, its parameters, its versions, its pairs."""
    found = {_person_of(entry.dataset.name) for entry in (run.inputs.dataset_inputs if run.inputs else [])}
    params, tags = run.data.params, run.data.tags
    words = [params.get(key, "") for key in ("identity", "name", "reference", "version")]
    words += tags.get("version", "").split(" + ")
    for key in ("references", "train.face_sets", "face_sets"):
        words += re.findall(r"'([^']+)'", params.get(key, ""))
    names = (word.removeprefix("models:/").removeprefix(PREFIX) for word in words if "://" not in word)
    found |= {name.partition("@")[0].partition("/")[0] for name in names if not name.startswith("/")}
    for key in run.data.metrics:
        if match := _PAIR.match(key):
            found |= {match["reference"], match["target"]}
        elif match := _COMPARED.match(key):
            found.add(match["target"])
    return found - {""}


def _runs(client: mlflow.MlflowClient, identity: str) -> tuple[list[Item], list[str]]:
    runs = {run.info.run_id: run for run in _all_runs(client)}
    people = {key: people_of(run) for key, run in runs.items()}
    items: list[Item] = []
    outputs: list[str] = []
    for key, run in runs.items():
        kind = run.data.tags.get("faceswap.kind", "")
        named = people[key] | people.get(run.data.tags.get("mlflow.parentRunId", ""), set())
        if identity not in named or kind == "consent":
            continue
        about = f"{kind} run {run.info.run_name}"
        if kind == "swap":
            outputs += _outputs_of(run)
        if named == {identity} and kind != "train":
            items.append(Item(kind="run", place=key, about=about))
        else:
            pictures = _pictures_in(run)
            if pictures:
                about = f"{len(pictures)} pictures of {about}, which is about {', '.join(sorted(named))}"
                items.append(Item(kind="pictures", place=key, about=about))
    return items, outputs


def _outputs_of(run: Run) -> list[str]:
    repository = _repository(run.info.artifact_uri)
    if repository is None or not any(one.path == "swap.json" for one in repository.list_artifacts()):
        return []
    report = json.loads(mlflow.artifacts.load_text(f"{present(run.info.artifact_uri).rstrip('/')}/swap.json"))
    return [str(item["out"]) for item in report.get("items", []) if item.get("out")]


def _repository(uri: str) -> Any:
    """The store of an artifact folder; None where its folder is gone."""
    try:
        return get_artifact_repository(present(uri))
    except RegistryError:
        return None


def _pictures_in(run: Run) -> list[str]:
    repository = _repository(run.info.artifact_uri)
    if repository is None:
        return []
    found, folders = [], [""]
    while folders:
        for one in repository.list_artifacts(folders.pop() or None):
            if one.is_dir:
                folders.append(one.path)
            elif PurePosixPath(one.path).suffix.lower() in _PICTURES:
                found.append(one.path)
    return found


def _clear(uri: str, path: str = "") -> None:
    repository = _repository(uri)
    if repository is None:
        return
    if path:
        repository.delete_artifacts(path)
        return
    for one in repository.list_artifacts():
        repository.delete_artifacts(one.path)


def _remove_version(client: mlflow.MlflowClient, place: str) -> None:
    name, _, number = place.rpartition("/")
    found = client.get_model_version(name, number)
    if found.model_id:
        model = client.get_logged_model(found.model_id)
        _clear(model.artifact_location)
        client.delete_logged_model(found.model_id)
    else:
        _clear(client.get_model_version_download_uri(name, number))
    client.delete_model_version(name, number)


def _remove_run(client: mlflow.MlflowClient, run_id: str) -> None:
    _clear(client.get_run(run_id).info.artifact_uri)
    client.delete_run(run_id)
    store = client._tracking_client.store
    if settings().tracking.startswith("sqlite:") and hasattr(store, "_hard_delete_run"):
        store._hard_delete_run(run_id)


def _remove_pictures(client: mlflow.MlflowClient, run_id: str) -> None:
    run = client.get_run(run_id)
    repository = _repository(run.info.artifact_uri)
    for path in _pictures_in(run):
        repository.delete_artifacts(path)


_REMOVERS = {
    "version": _remove_version,
    "model": lambda client, place: client.delete_registered_model(place),
    "encoder": lambda client, place: _clear(client.get_run(place).info.artifact_uri, f"encoder/{ENCODER}"),
    "run": _remove_run,
    "pictures": _remove_pictures,
}
KINDS = frozenset(_REMOVERS)
"""Of things that this module deletes."""
