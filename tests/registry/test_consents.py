"""Where consents are asked for, when a place hangs or comes back."""

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from faceswap.errors import ConsentError, TrackingError
from faceswap.provenance.consent.life import Event, Purpose
from faceswap.registry import consents

WITHDRAWN = Event(identity="ada", kind="withdrawn", by="ada", at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


class Mlflow:
    """Refuses, hangs until it is freed, or says what it knows."""

    def __init__(self) -> None:
        self.away, self.freed, self.asked = False, threading.Event(), 0
        self.events: list[Event] = []

    def __call__(self, *_: object) -> list[Event]:
        self.asked += 1
        if self.away:
            self.freed.wait(30)
            raise TrackingError("MLflow is away")
        return self.events


@pytest.fixture
def mlflow(home: Path, monkeypatch: pytest.MonkeyPatch) -> Mlflow:
    one = Mlflow()
    monkeypatch.setattr(consents, "_in_mlflow", one)
    monkeypatch.setattr(consents, "_client", object)
    monkeypatch.setattr(consents, "_FRESH", 0.0)
    monkeypatch.setattr(consents, "_AGAIN", 0.0)
    return one


def settled() -> None:
    """Whoever was asked in the background has answered."""
    for thread in threading.enumerate():
        if thread.name == "consents":
            thread.join(30)


def test_nobody_waits_twice_for_a_place_that_hangs(mlflow: Mlflow) -> None:
    consents.require("ada", Purpose.TRAINING)
    mlflow.away = True
    mlflow.freed.set()
    consents.require("ada", Purpose.TRAINING)  # who sees it first waits
    settled()
    mlflow.freed.clear()
    before, began = mlflow.asked, time.monotonic()
    for _ in range(20):
        consents.require("ada", Purpose.TRAINING)
    assert time.monotonic() - began < 10
    while mlflow.asked == before and time.monotonic() - began < 20:
        time.sleep(0.01)
    assert mlflow.asked == before + 1, "one at a time"
    mlflow.freed.set()
    settled()

    mlflow.away, mlflow.events = False, [WITHDRAWN]
    consents.require("ada", Purpose.TRAINING)  # asks behind, finds that it is back
    settled()
    with pytest.raises(ConsentError, match="withdrawn"):
        consents.require("ada", Purpose.TRAINING)


def test_what_must_be_fresh_waits(mlflow: Mlflow) -> None:
    mlflow.away = True
    mlflow.freed.set()
    consents.require("ada", Purpose.TRAINING)
    mlflow.away, mlflow.events = False, [WITHDRAWN]
    with pytest.raises(ConsentError, match="withdrawn"):
        consents.require("ada", Purpose.TRAINING, fresh=True)


def test_what_a_place_said_before_it_went_counts(mlflow: Mlflow) -> None:
    mlflow.events = [WITHDRAWN]
    assert not consents.allows("ada", Purpose.TRAINING)
    mlflow.away, mlflow.events = True, []
    mlflow.freed.set()
    assert not consents.allows("ada", Purpose.TRAINING)
    settled()


def test_the_first_question_of_all_leaves_nothing_where_somebody_happens_to_be(
    tmp_path: Path, home: Path
) -> None:
    somewhere = tmp_path / "somewhere"
    somewhere.mkdir()
    code = "from faceswap.registry import consents; print(len(consents.life_of('ada').events))"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=somewhere,
        env=kept | {"FACESWAP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0\n"
    assert not list(somewhere.iterdir())
