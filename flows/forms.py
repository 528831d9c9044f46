"""The forms of Prefect's UI: plain fields where a value may be left out, and what may be entered."""

import copy
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.exceptions import PrefectException
from prefect.utilities.callables import parameter_schema

from faceswap import registry
from faceswap.errors import FaceswapError
from faceswap.faces.faceset import known_identities

logger = logging.getLogger(__name__)
_EVERY_SECONDS = 60.0
_LONGEST_LIST = 30
"""More names than that are not listed."""
_FACE_SETS = ("face_sets", "targets")
_VERSIONS = ("references", "reference", "version", "warm_start")
_MODELS = ("name",)
Known = Mapping[str, str]
"""Field -> what is known that can be entered in it."""


def known() -> dict[str, str]:
    """What the fields can be filled with at the moment; what can't be looked up is left out."""
    found: dict[str, str] = {}
    for fields, title, names in (
        (_FACE_SETS, "face sets of", known_identities),
        (_VERSIONS, "versions", _version_names),
        (_MODELS, "registered", _model_names),
    ):
        try:
            listed = names()
        except FaceswapError as error:
            logger.warning("A form can't say what there is: %s", error.message)
            continue
        found |= dict.fromkeys(fields, f"{title}: {_enumerate(listed)}")
    return found


def form(schema: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """A flow's parameters as the form shows them.

    Args:
        schema: JSON schema of the parameters, as Prefect makes it from the flow.
        known: what can be entered, by field; it ends the field's description.

    Returns:
        the schema with a plain field in place of each choice between a type and null: left empty, it is not sent,
        and the flow's own default holds.
    """
    changed = copy.deepcopy(dict(schema))
    for part in (changed, *changed.get("definitions", {}).values()):
        for name, field in part.get("properties", {}).items():
            _make_plain(field)
            if name in known:
                field["description"] = f"{field.get('description', '')} ({known[name]})".strip()
    return changed


def keep_current(flows: Mapping[UUID, Flow[..., Any]]) -> None:
    """Make the forms of served deployments, and bring them up to date now and then, in a thread.

    Args:
        flows: id of the deployment -> its flow.
    """
    schemas = {key: parameter_schema(flow).model_dump(exclude_unset=True) for key, flow in flows.items()}

    def watch() -> None:
        shown: dict[UUID, dict[str, Any]] = {}
        while True:
            try:
                _bring_up_to_date(_forms(schemas), shown)
            except (FaceswapError, PrefectException, httpx.HTTPError, OSError, RuntimeError) as error:
                logger.warning("The forms can't be brought up to date: %s", error)
            time.sleep(_EVERY_SECONDS)

    threading.Thread(target=watch, daemon=True, name="forms").start()


def _forms(schemas: Mapping[UUID, dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    now = known()
    return {key: form(schema, now) for key, schema in schemas.items()}


def _bring_up_to_date(wanted: Mapping[UUID, dict[str, Any]], shown: dict[UUID, dict[str, Any]]) -> None:
    changed = {key: schema for key, schema in wanted.items() if shown.get(key) != schema}
    if not changed:
        return
    with get_client(sync_client=True) as client:
        for key, schema in changed.items():
            client.update_deployment(key, DeploymentUpdate(parameter_openapi_schema=schema))
            shown[key] = schema


def _make_plain(field: dict[str, Any]) -> None:
    choices = [one for one in field.get("anyOf", []) if one != {"type": "null"}]
    if len(choices) == 1 and len(field["anyOf"]) == 2 and field.get("default") is None:
        del field["anyOf"]
        field.pop("default", None)
        field |= choices[0]


def _version_names() -> list[str]:
    rows = registry.versions()
    return [f"{row.version.identity}@{alias}" for row in rows for alias in row.aliases] + [
        f"{row.version.identity}/{row.version.version}" for row in rows if not row.aliases
    ]


def _model_names() -> list[str]:
    return sorted({row.version.identity for row in registry.versions()})


def _enumerate(names: list[str]) -> str:
    if not names:
        return "none yet"
    more = len(names) - _LONGEST_LIST
    return ", ".join(names[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")
