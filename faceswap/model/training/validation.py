"""Validations on held-out faces: where a GPU trains, beside it, on a copy of the weights, so that it waits for none."""

import math
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field

import keras

from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import Batches

Quality = Callable[[Autoencoders], dict[str, float]]
"""Measures the swaps of a model on held-out faces; must hold the key ``score`` (higher is better)."""
Show = Callable[[int, Autoencoders], None]
"""Makes a preview of the model as it was at a step."""


@dataclass
class Validation:
    """One validation.

    Attributes:
        step, seconds: where the training was.
        values: the measures; empty until they are made.
        failure: what ended it instead.
    """

    step: int
    seconds: float
    values: dict[str, float] = field(default_factory=dict)
    failure: BaseException | None = None


class Validator:
    """Measures a model in training, and shows it: at once, or in a thread beside the training.

    Args:
        model: in training.
        data: whose held-out faces are reconstructed.
        quality: measures swaps; None: the error of the reconstructions is all there is.
        show: makes a preview; in the thread too, where there is one.
        beside: in a thread, on a copy of the weights. A CPU that trains has no core to spare for it.
    """

    def __init__(
        self, model: Autoencoders, data: Batches, quality: Quality | None, show: Show, beside: bool
    ) -> None:
        self.beside, self.quality = beside, quality
        self._model, self._data, self._show = model, data, show
        self._copy: Autoencoders | None = None
        self._thread: threading.Thread | None = None
        self._current: Validation | None = None

    @property
    def busy(self) -> bool:
        """Whether one is being made, or waits to be collected."""
        return self._current is not None

    def measure(self, step: int, seconds: float) -> Validation:
        """The measures of the model as it is, now."""
        return Validation(step, seconds, self._values(self._model))

    def begin(self, step: int, seconds: float) -> None:
        """Copy the weights and measure them in the thread; :meth:`collect` gives the result."""
        copied = self._copied()
        self._current = made = Validation(step, seconds)

        def work() -> None:
            try:
                values = self._values(copied)
                self._show(step, copied)
                made.values = values
            except BaseException as error:
                made.failure = error

        # daemon: a training that is cancelled has saved, and does not wait for this
        self._thread = threading.Thread(
            target=copy_context().run, args=(work,), daemon=True, name="validation"
        )
        self._thread.start()

    def collect(self, wait: bool = False) -> Validation | None:
        """What was begun, once it is made; None: not yet, or nothing was begun.

        Raises:
            BaseException: what the quality or the preview raised.
        """
        if self._current is None or self._thread is None:
            return None
        if wait:
            while self._thread.is_alive():
                self._thread.join(0.2)  # so that Ctrl-C comes through
        if self._thread.is_alive():
            return None
        self._thread.join()
        found, self._current, self._thread = self._current, None, None
        if found.failure is not None:
            raise found.failure
        return found

    def close(self, seconds: float = 5.0) -> None:
        """Wait for the thread, at most so long: a process should not end in the middle of its work on the device."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _values(self, model: Autoencoders) -> dict[str, float]:
        values = heldout_errors(model, self._data)
        return values | self.quality(model) if self.quality else values

    def _copied(self) -> Autoencoders:
        """By way of the host: the next step overwrites what the device holds."""
        model = self._model
        if self._copy is None:
            policy = model.encoder.get_layer("bottleneck").dtype_policy.name
            self._copy = Autoencoders(model.preset, model.identities, policy)
        for own, theirs in zip(self._copy.weights, model.weights, strict=True):
            own.assign(keras.ops.convert_to_numpy(theirs.value).copy())
        return self._copy


def heldout_errors(model: Autoencoders, data: Batches, limit: int = 16) -> dict[str, float]:
    """Mean absolute error (0..1) of each identity's held-out faces through its own decoder, and their mean."""
    errors: dict[str, float] = {}
    for index, identity in enumerate(data.identities):
        held = data.heldout[identity]
        if len(held):
            crops = held[:: max(1, len(held) // limit)][:limit]
            output = model.reconstruct(crops, index)
            errors[f"heldout_mae_{identity}"] = float(abs(output - crops / 255.0).mean())
    errors["heldout_mae"] = sum(errors.values()) / len(errors) if errors else math.nan
    return errors
