"""A tiny training on whatever backend the tests run, and who watches it."""

from pathlib import Path

import numpy as np

from faceswap.model.presets import preset
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer, TrainingOptions
from tests.model.fakes import FakeFaces

TINY = preset("lite").with_(
    size=48,
    code_grid=6,
    code_columns=4,
    encoder_filters=(8, 8),
    bottleneck=16,
    code_filters=8,
    decoder_filters=(8, 8),
    residual=(0, 0),
    batch_size=2,
    warmup=0,
    finish=0.3,
)
STEPS = 10
"""Of a training; in the last three the encoder rests."""


class Notes:
    """An observer that remembers the loss curve, and interrupts where it is told to."""

    def __init__(self, cut: int = 0) -> None:
        self.losses: dict[int, float] = {}
        self.compiled: list[float] = []
        self.rollbacks, self.cut = 0, cut

    def metrics(self, step: int, values: dict[str, float]) -> None:
        if "loss" in values:
            self.losses[step] = values["loss"]
        if "compile_seconds" in values:
            self.compiled.append(values["compile_seconds"])
        self.rollbacks += "rollbacks" in values
        if step == self.cut and "loss" in values:
            raise KeyboardInterrupt

    def validated(self, step: int, model: object) -> None: ...

    def progress(self, share: float, message: str) -> None: ...


def trainer(
    folder: Path, notes: Notes | None = None, steps: int = STEPS, a_call: int = 1, **options: object
) -> Trainer:
    data = TrainingData(
        {"ann": FakeFaces("ann", (200, 120, 90)), "bob": FakeFaces("bob", (90, 120, 200), count=25)}, TINY
    )
    given = {"pairs": "device", "report_seconds": 1e-6, "validate_seconds": 1e9, "checkpoint_seconds": 1e9}
    settings = TrainingOptions(budget=Budget(steps=steps), seed=1, **{**given, **options})  # type: ignore[arg-type]
    one = Trainer(data, TINY, settings, folder, notes or Notes())
    if (pace := getattr(one.engine, "_pace", None)) is not None:
        pace.most = pace.steps = a_call
    return one


def weights(one: Trainer) -> list[np.ndarray]:
    return [np.asarray(w) for part in (one.model.encoder, *one.model.decoders) for w in part.get_weights()]
