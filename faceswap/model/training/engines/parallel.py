"""One training on several devices: each computes a part of every identity's pairs (Keras' distribution API, on JAX)."""

from typing import Any

import keras

from faceswap.errors import SettingsError
from faceswap.model.presets import Preset


class PairsParallel(keras.distribution.DataParallel):
    """All weights on each device, and a part of each identity's pairs: the second axis of every batch, (N, n, …)."""

    def get_data_layout(self, data_shape: tuple[int, ...]) -> Any:
        """Of an array of a batch."""
        axes = [None, self.batch_dim_name, *[None] * (len(data_shape) - 2)]
        return keras.distribution.TensorLayout(axes, self.device_mesh)

    @property
    def everywhere(self) -> Any:
        """The sharding of what all devices hold."""
        return keras.distribution.TensorLayout([], self.device_mesh).backend_layout

    def shared_out(self, arrays: Any) -> Any:
        """Within a compiled function: arrays of a batch, a part on each device."""
        import jax

        return keras.tree.map_structure(
            lambda array: jax.lax.with_sharding_constraint(
                array, self.get_data_layout(array.shape).backend_layout
            ),
            arrays,
        )


def spread_over(devices: int, preset: Preset) -> PairsParallel | None:
    """Let what is built from now on train on so many devices; None: on one.

    Raises:
        SettingsError: there are fewer, the backend can't, or the pairs can't be shared out evenly.
    """
    keras.distribution.set_distribution(None)
    if devices == 1:
        return None
    if keras.backend.backend() != "jax":
        raise SettingsError(
            f"Several devices train together on JAX only, and this is {keras.backend.backend()}",
            "`uv run --extra gpu faceswap …`, or leave --devices out",
        )
    found = keras.distribution.list_devices()
    if len(found) < devices:
        raise SettingsError(
            f"{devices} devices are asked for, and {len(found)} can train here: {', '.join(found)}",
            f"give --devices {len(found)} at most",
        )
    if preset.batch_size % devices:
        raise SettingsError(
            f"{preset.batch_size} pairs of each identity can't be shared out evenly to {devices} devices",
            f"give --batch-size {devices * max(1, round(preset.batch_size / devices))}",
        )
    made = PairsParallel(devices=found[:devices])
    keras.distribution.set_distribution(made)
    return made


def spread() -> PairsParallel | None:
    """What :func:`spread_over` has set."""
    found = keras.distribution.distribution()
    return found if isinstance(found, PairsParallel) else None
