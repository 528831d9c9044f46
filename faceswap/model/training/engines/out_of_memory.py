"""A device whose memory does not suffice, said in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from faceswap.errors import TrainingError
from faceswap.model.presets import Preset

_SIGNS = ("RESOURCE_EXHAUSTED", "out of memory", "OOM when allocating")
"""What JAX, PyTorch and TensorFlow say."""


@contextmanager
def explained(preset: Preset, identities: int) -> Iterator[None]:
    """Raises a TrainingError with a remedy where the block runs out of the device's memory."""
    try:
        yield
    except Exception as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        batch = preset.batch_size
        smaller = f"--batch-size {batch // 2}" if batch > 1 else "a preset that draws fewer pixels"
        raise TrainingError(
            f"The device's memory does not suffice for preset {preset.name!r} with {identities} x {batch} pairs a step",
            f"use {smaller}, or end other programs on the card (`nvidia-smi` lists them)",
        ) from error
