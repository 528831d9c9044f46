"""What runs are called in Prefect's UI: as the user says, else by what they do."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import coolname.data
from prefect.runtime import flow_run
from pydantic import BaseModel

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|"
    "psi|omega"
)
_OF_THE_FORM = re.compile(rf"(?:{_GREEK})\d*(?:-[a-z]+){{1,2}}")
"""What the form of Prefect's UI fills in where the user writes nothing: a star, such as alpha477-bootis."""
_LONGEST = 120


def named(describe: Callable[[Any], str]) -> Callable[[], str]:
    """A flow's ``flow_run_name``: the name that the user gave, else what ``describe`` says of the flow's parameters."""

    def name() -> str:
        given = flow_run.name or ""
        if given and not is_made_up(given):
            return given
        return describe(_Fields(flow_run.parameters.get("parameters", {})))[:_LONGEST] or given

    return name


def is_made_up(name: str) -> bool:
    """Whether Prefect has made the name up: its form's stars, or its server's adjective and animal."""
    if _OF_THE_FORM.fullmatch(name):
        return True
    words = name.split("-")
    return len(words) == 2 and all(word in _words() for word in words)


def people(face_sets: list[str]) -> str:
    """Who is on the face sets, as far as their names or places say: "ada + ben"."""
    return " + ".join(_identity(one) for one in face_sets)


def budget(parameters: Any) -> str:
    """Of a training: "4 min", "300 steps" or "2 epochs"."""
    for field, unit in (("minutes", "min"), ("steps", "steps"), ("epochs", "epochs")):
        if value := getattr(parameters, field):
            return f"{value:g} {unit}"
    return ""


def listed(*parts: str | None) -> str:
    """The parts that are given and not empty, with commas."""
    return ", ".join(part for part in parts if part)


def _identity(face_set: str) -> str:
    """A face set's folder is ``<identity>/<digest>``; otherwise the folder's own name tells most."""
    *folder, last = [part for part in face_set.split("/") if part] or [face_set]
    return folder[-1] if folder and re.fullmatch(r"[0-9a-f]{16}", last) else last


@cache
def _words() -> frozenset[str]:
    found: set[str] = set()
    config: dict[str, dict[str, Any]] = coolname.data.config  # type: ignore[assignment]
    for part in config.values():
        found.update(word for word in part.get("words", []) if isinstance(word, str))
    return frozenset(found)


class _Fields:
    """Parameters by attribute, whether Prefect has them as a model already or as it got them; None where left out."""

    def __init__(self, values: Any) -> None:
        self._values = dict(values) if isinstance(values, BaseModel) else values

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)
