"""Learning to tell skin, hair, glasses and other things apart: on fictional people, see :mod:`mask_lessons`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from faceswap.model.networks.segmentation_network import build_segmentation_network
from faceswap.model.options import MaskOptions
from faceswap.model.priors.mask_lessons import Bytes, MaskLessons
from faceswap.model.priors.rendered_people import RenderedPeople
from faceswap.model.training.checkpoints import Checkpoints, TrainingState

_SITTING = 150
"""Steps between two points of the curve, and between two checkpoints."""
_WARMUP = 100
_WEIGHTS = np.array([1.0, 1.0, 3.0, 1.0], np.float32)
"""Of the segments in the cross-entropy: frames of glasses are few pixels."""
_FEW = 30.0
"""Pixels added to both sides of the Dice quotient: of a face without hair it would be of two small numbers."""


def segment_loss(truth: Any, found: Any) -> Any:
    """Cross-entropy, and half of the Dice loss (Milletari, Navab & Ahmadi, "V-Net", 2016) averaged over the segments.

    Args:
        truth: (n, s, s, 4) share of each segment.
        found: (n, s, s, 4) in 0..1, sums to 1.

    Returns:
        (n,).
    """
    found = ops.clip(found, 1e-5, 1.0)
    entropy = -ops.sum(truth * ops.log(found) * _WEIGHTS, axis=-1)
    both, one, other = (ops.sum(x, axis=(1, 2)) for x in (truth * found, truth**2, found**2))
    dice = 1 - (2 * both + _FEW) / (one + other + _FEW)
    return ops.mean(entropy, axis=(1, 2)) + 0.5 * ops.mean(dice, axis=-1)


def learn_masks(
    people: RenderedPeople,
    options: MaskOptions,
    told: Callable[[int, dict[str, float]], None],
    folder: Path,
    run_id: str = "",
) -> keras.Model:
    """Train the network from nothing, or from the newest checkpoint of the same options.

    Args:
        people: rendered.
        options: steps, rate, seed.
        told: called with the step and the metrics now and then.
        folder: for checkpoints.
        run_id: stored with them.
    """
    keras.utils.set_random_seed(options.seed)
    model = build_segmentation_network()
    optimizer = keras.optimizers.Adam(falling_rate(options), clipnorm=1.0)
    model.compile(optimizer, loss=segment_loss, jit_compile=False)
    optimizer.build(model.trainable_variables)
    checkpoints = Checkpoints(folder)
    state = TrainingState(options.seed, {}, {"steps": options.steps}, {}, run_id=run_id)
    if checkpoints.latest():
        state = checkpoints.restore(model, lambda _: optimizer)
    painted: dict[int, tuple[Bytes, Bytes]] = {}
    while state.step < options.steps:
        steps = range(state.step, min(state.step + _SITTING, options.steps))
        curve = model.fit(MaskLessons(people, options, steps, painted), shuffle=False, verbose=0)
        state.step = steps.stop
        told(state.step, {name: float(values[-1]) for name, values in curve.history.items()})
        checkpoints.save(model, optimizer, state)
    return model


def falling_rate(options: MaskOptions) -> keras.optimizers.schedules.CosineDecay:
    """Up to the options' rate in the first steps, then along a cosine to 2 % of it at the last step."""
    warmup = max(1, min(_WARMUP, options.steps // 10))
    return keras.optimizers.schedules.CosineDecay(
        1e-5,
        max(1, options.steps - 1 - warmup),
        alpha=0.02,
        warmup_target=options.learning_rate,
        warmup_steps=warmup,
    )
