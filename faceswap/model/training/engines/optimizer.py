"""The optimizer of all engines."""

from collections.abc import Sequence
from typing import Any

import keras

from faceswap.model.presets import Preset


def adam(preset: Preset, variables: Sequence[Any]) -> keras.optimizers.Optimizer:
    """A fresh one for these variables."""
    made = keras.optimizers.Adam(
        preset.learning_rate,
        beta_1=preset.beta_1,
        beta_2=preset.beta_2,
        global_clipnorm=preset.clip_norm or None,
    )
    made.build(list(variables))
    return made
