import logging
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.exceptions import ObjectNotFound

from flows import runtime


class Server:
    """Prefect's client as far as the slot asks it: a limit with slots in use, or none."""

    def __init__(self, **limit: Any) -> None:
        self.limit = limit

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read_global_concurrency_limit_by_name(self, name: str) -> SimpleNamespace:
        if not self.limit:
            raise ObjectNotFound(LookupError(name))
        return SimpleNamespace(**self.limit)


@pytest.mark.parametrize(
    ("limit", "waits", "names"),
    [
        ({"active": True, "active_slots": 1, "limit": 1}, True, [runtime.TRAINING_SLOT]),
        ({"active": True, "active_slots": 0, "limit": 1}, False, [runtime.TRAINING_SLOT]),
        ({"active": True, "active_slots": 1, "limit": 2}, False, [runtime.TRAINING_SLOT]),
        ({"active": False, "active_slots": 1, "limit": 1}, False, [runtime.TRAINING_SLOT]),
        ({}, False, []),
    ],
)
def test_who_has_to_wait_for_another_training_is_told_before(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limit: dict[str, Any],
    waits: bool,
    names: list[str],
) -> None:
    told: list[tuple[list[str], bool]] = []

    @contextmanager
    def concurrency(names: list[str], **_: object) -> Any:
        told.append((names, "waits for its turn" in caplog.text))
        yield

    monkeypatch.setattr(runtime, "get_client", lambda **_: Server(**limit))
    monkeypatch.setattr(runtime, "concurrency", concurrency)
    with caplog.at_level(logging.WARNING, "flows.runtime"), runtime.training_slot():
        pass
    assert told == [(names, waits)]
