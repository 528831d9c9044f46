"""What a training tells while it runs, and what comes out of it."""

from dataclasses import dataclass, field
from typing import Protocol

from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.more_views import MoreViews


class Observer(Protocol):
    """Who is told how the training goes (MLflow, a progress bar)."""

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """New numbers at a step."""

    def validated(self, step: int, model: Autoencoders) -> None:
        """A validation is done; time for a preview. Where a GPU trains, this comes in a thread of its own."""

    def progress(self, share: float, message: str) -> None:
        """How much of the budget is used, 0..1."""


@dataclass
class TrainingResult:
    """What came out: the trained model and the account of the time; compiling comes before the training."""

    model: Autoencoders
    steps: int
    seconds: float
    compile_seconds: float
    images_per_second: float
    stopped_early: bool
    rollbacks: int
    views: dict[str, MoreViews] = field(default_factory=dict)
    """What each identity was learnt from besides its pictures."""
    history: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)
