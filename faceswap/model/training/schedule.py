"""How long a training runs, and how far it is: learning rate, warp and finish follow the share that is used."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from faceswap.model.presets import Preset

_FINISH_FROM, _FINISH_TO = 0.2, 0.02
"""Shares of the learning rate at both ends of the finish: enough to change the decoders, and then to settle."""


class Budget(BaseModel):
    """How long to train: exactly one of minutes, steps or epochs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float | None = Field(None, gt=0, description="wall time of the training loop, minutes")
    steps: int | None = Field(None, gt=0, description="optimizer steps")
    epochs: float | None = Field(None, gt=0, description="passes over the largest identity's faces")

    @model_validator(mode="after")
    def _exactly_one(self) -> "Budget":
        if sum(v is not None for v in (self.minutes, self.steps, self.epochs)) != 1:
            raise ValueError("give exactly one of minutes, steps or epochs")
        return self

    @property
    def words(self) -> str:
        """The limit in words: ``4 min``, ``3,300 steps``."""
        if self.minutes is not None:
            return f"{self.minutes:g} min"
        return f"{self.steps:,} steps" if self.steps is not None else f"{self.epochs:g} epochs"


class Step(NamedTuple):
    """A step to come: its number, the share of the budget that is used (1 in all of the finish), its learning rate."""

    number: int
    progress: float
    learning_rate: float


class Schedule:
    """The share of the budget that is used, from the step or from the seconds trained.

    Args:
        budget: the limit.
        preset: warm-up and decay of the learning rate, length of the finish.
        steps_per_epoch: of the data.
    """

    def __init__(self, budget: Budget, preset: Preset, steps_per_epoch: int) -> None:
        self.preset = preset
        steps = budget.steps or (budget.epochs and math.ceil(budget.epochs * steps_per_epoch))
        self._budget = budget.minutes * 60 if budget.minutes else None, int(steps) if steps else None
        self.seconds, self.steps = self._budget

    def progress(self, step: int, seconds: float) -> float:
        """0 at the start, 1 when the budget is used up."""
        used = seconds / self.seconds if self.seconds else step / self.steps if self.steps else 1.0
        return min(1.0, used)

    def plan(self, step: int, seconds: float, pace: float, most: int, slow: float = 1.0) -> list[Step]:
        """This and the next steps, up to the finish if that is still to come, or to the end of the budget.

        Args:
            step, seconds: where the training is.
            pace: seconds a step, by which a budget of minutes guesses where the next steps are.
            most: how many, at least 1.
            slow: factor of the learning rate.
        """
        found: list[Step] = []
        finishing = self.finishing(self.progress(step, seconds))
        for coming in range(step, step + most):
            share = self.progress(coming, seconds + (coming - step) * pace)
            if found and (share >= 1 or self.finishing(share) != finishing):
                break
            rate = self.learning_rate(coming, share) * slow
            found.append(Step(coming, 1.0 if finishing else share, rate))
        return found

    def finishing(self, progress: float) -> bool:
        """Whether no more than the preset's finish is left."""
        return progress >= 1 - self.preset.finish

    def learning_rate(self, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine to the preset's final share; in the finish another one."""
        p = self.preset
        warm = min(1.0, (step + 1) / p.warmup) if p.warmup else 1.0
        if p.finish and self.finishing(progress):
            return p.learning_rate * warm * _cosine(_FINISH_FROM, _FINISH_TO, 1 - (1 - progress) / p.finish)
        return p.learning_rate * warm * _cosine(1.0, p.final_decay, progress)

    def finish_soon(self, step: int, seconds: float, share: float = 0.2) -> float | None:
        """Shorten the budget on a plateau, so that learning rate and warp still come down before the end.

        Returns:
            the new end, for :meth:`end_at`.
        """
        if self.seconds:
            self.seconds = min(self.seconds, seconds * (1 + share))
        elif self.steps:
            self.steps = min(self.steps, math.ceil(step * (1 + share)))
        return self.seconds or self.steps

    def end_at(self, end: float | None) -> None:
        """End there, in seconds or steps, whichever the budget counts; None: where the budget ends."""
        self.seconds, self.steps = self._budget
        if end and self.seconds:
            self.seconds = end
        elif end:
            self.steps = int(end)


class Stopwatch:
    """Seconds trained. What passes in :meth:`paused`, such as waiting for a server or a disk, does not count."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """So far; set it to go on from an earlier sitting."""
        return time.monotonic() - self._started

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._started = time.monotonic() - value

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The watch stands while the block runs."""
        at = self.seconds
        try:
            yield
        finally:
            self.seconds = at


class Due:
    """What is done now and then.

    Args:
        now: seconds trained so far.
        every: seconds between two times, by name.
    """

    def __init__(self, now: float, **every: float) -> None:
        self._every = every
        self._next = {name: now + seconds for name, seconds in every.items()}

    def __call__(self, name: str, now: float) -> bool:
        """Whether it is time for that; if so, the next time is set."""
        if now < self._next[name]:
            return False
        self._next[name] = now + self._every[name]
        return True


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
