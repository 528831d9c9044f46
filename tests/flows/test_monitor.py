import inspect
import logging
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from prefect.exceptions import ObjectNotFound

from faceswap import jobs
from flows import flows, prefect_monitor
from flows.deployments import main_flows
from flows.prefect_monitor import TRAINING_SLOT, PrefectMonitor, host_slot


class Server:
    """Prefect's client as far as the slot asks it: a limit with slots in use, or none."""

    def __init__(self, **limit: Any) -> None:
        self.limit = limit

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read_global_concurrency_limit_by_name(self, name: str) -> SimpleNamespace:
        if not self.limit or name not in self.limit.get("names", [TRAINING_SLOT]):
            raise ObjectNotFound(LookupError(name))
        return SimpleNamespace(**self.limit)


@pytest.mark.parametrize(
    ("limit", "waits", "names", "devices", "slots"),
    [
        ({"active": True, "active_slots": 1, "limit": 1}, True, [TRAINING_SLOT], 1, 1),
        ({"active": True, "active_slots": 0, "limit": 1}, False, [TRAINING_SLOT], 1, 1),
        ({"active": True, "active_slots": 1, "limit": 2}, False, [TRAINING_SLOT], 1, 1),
        ({"active": False, "active_slots": 1, "limit": 1}, False, [TRAINING_SLOT], 1, 1),
        ({"active": True, "active_slots": 1, "limit": 3}, False, [TRAINING_SLOT], 2, 2),
        ({"active": True, "active_slots": 1, "limit": 2}, True, [TRAINING_SLOT], 2, 2),
        ({"active": True, "active_slots": 0, "limit": 1}, False, [TRAINING_SLOT], 2, 1),
        (
            {"active": True, "active_slots": 1, "limit": 2, "names": [TRAINING_SLOT, host_slot()]},
            False,
            [host_slot()],
            1,
            1,
        ),
        ({}, False, [], 1, 0),
    ],
)
def test_who_has_to_wait_for_another_training_is_told_before(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limit: dict[str, Any],
    waits: bool,
    names: list[str],
    devices: int,
    slots: int,
) -> None:
    told: list[tuple[list[str], bool, int]] = []

    @contextmanager
    def slot(name: str, _: str, count: int) -> Any:
        told.append(([name], "waits for its turn" in caplog.text, count))
        yield

    monkeypatch.setattr(prefect_monitor, "get_client", lambda **_: Server(**limit))
    monkeypatch.setattr(prefect_monitor, "slot", slot)
    with caplog.at_level(logging.WARNING, "flows.prefect_monitor"), PrefectMonitor().training_slot(devices):
        pass
    assert told == ([(names, waits, slots)] if names else [])


class Gate:
    """Prefect's server: it takes what it is told once it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.got: list[dict[str, Any]] = []

    def take(self, **told: Any) -> str:
        self.reached.set()
        assert self.open.wait(60)
        self.got.append(told)
        return "id"


def test_a_job_does_not_wait_for_prefect(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate, told = Gate(), PrefectMonitor()
    monkeypatch.setattr(prefect_monitor, "_PATIENCE", 0.01)
    for name in ("create_progress_artifact", "create_image_artifact"):
        monkeypatch.setattr(prefect_monitor, name, lambda *_, **told: gate.take(**told))
    monkeypatch.setattr(prefect_monitor, "update_progress_artifact", lambda _, **told: gate.take(**told))
    monkeypatch.setattr(prefect_monitor, "create_markdown_artifact", lambda text, **_: gate.take(text=text))
    with caplog.at_level(logging.WARNING, "flows.prefect_monitor"), told.progress("train") as report:
        assert gate.reached.wait(60)
        for done in range(1001):
            report(done, 1000, f"step {done}")
        for step in range(3):
            told.picture("Preview of_A", np.zeros((8, 8, 3), np.uint8), f"step {step}", None)
        told.note("first")
        told.note("second")
    assert (
        "Prefect's page is behind, its server did not take: 2 x note, 1 x picture Preview of_A" in caplog.text
    )
    gate.open.set()
    told.flush(60)
    assert [one["progress"] for one in gate.got if "progress" in one] == [0.0, 100.0]
    assert [one["text"] for one in gate.got if "text" in one] == ["first", "second"]
    assert [one["key"] for one in gate.got if "key" in one] == ["preview-of-a"]
    assert [one["description"] for one in gate.got if "key" in one] == ["step 2"]


def test_every_job_has_its_flow_and_every_flow_its_job() -> None:
    for flow in (*main_flows(), flows.sheet):
        job = getattr(jobs, flow.fn.__name__)
        assert flows.flow_of(job) is flow
        (parameters,) = inspect.signature(flow.fn).parameters.values()
        assert parameters.annotation is inspect.signature(job).parameters["parameters"].annotation
