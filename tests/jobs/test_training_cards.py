"""Each job that trains waits for its slots and has a card of its own, with stand-ins for the cards."""

import os
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from faceswap import jobs, tracking
from faceswap.jobs.monitor import Terminal
from faceswap.jobs.training import masks_job, pretrain_job
from faceswap.process import cards
from faceswap.settings import settings


class Counting(Terminal):
    slots = 0

    def training_slot(self, count: int = 1) -> Any:
        self.slots += count
        return nullcontext()


@pytest.fixture
def seen(home: object, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cards that the training of a job sees."""
    found: list[str] = []

    def train(*_: Any, **__: Any) -> Any:
        found.append(os.environ["CUDA_VISIBLE_DEVICES"])
        return MagicMock()

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    monkeypatch.setattr(tracking, "run", lambda *_, **__: nullcontext(MagicMock(run_id="r1")))
    monkeypatch.setattr(masks_job, "render", MagicMock())
    monkeypatch.setattr(masks_job.mask_training, "learn_masks", train)
    monkeypatch.setattr(masks_job, "save_segmentation_network", lambda *_: "digest")
    for name in ("render_people", "FictionalData", "Observer"):
        monkeypatch.setattr(pretrain_job, name, MagicMock())
    monkeypatch.setattr(pretrain_job, "Trainer", lambda *_, **__: SimpleNamespace(train=train))
    monkeypatch.setattr(pretrain_job, "save_prior", lambda *_: "digest")
    return found


def test_learning_masks_takes_one_card_and_pretraining_as_many_as_it_uses(seen: list[str]) -> None:
    monitor = Counting()
    with cards.taken(settings().cards_path):  # another training has the first
        jobs.learn_masks(jobs.LearnMasksParameters(), monitor)
    os.environ["CUDA_VISIBLE_DEVICES"] = "0,1,2"
    with cards.taken(settings().cards_path):
        jobs.pretrain(jobs.PretrainParameters(devices=2), monitor)
    assert seen == ["1", "1,2"]
    assert monitor.slots == 1 + 2
