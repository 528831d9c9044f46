"""A device whose memory does not suffice, said in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from faceswap.errors import DeviceMemoryError
from faceswap.model.presets import PRESETS, Preset

_SIGNS = (
    "RESOURCE_EXHAUSTED",
    "out of memory",
    "OUT_OF_MEMORY",
    "OOM when allocating",
    "ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
)
"""What JAX, PyTorch and TensorFlow say, and CUDA's libraries through them."""


@contextmanager
def explained(preset: Preset, identities: int) -> Iterator[None]:
    """Raises a DeviceMemoryError with a remedy where the block runs out of the device's memory."""
    try:
        yield
    except Exception as error:
        if isinstance(error, DeviceMemoryError) or not any(sign in str(error) for sign in _SIGNS):
            raise
        batch = preset.batch_size
        raise DeviceMemoryError(
            f"The device's memory does not suffice for preset {preset.name!r} with {identities} x {batch} pairs a step",
            f"use {_smaller(preset)}, or end other programs on the card (`nvidia-smi` lists them)",
        ) from error


def _smaller(preset: Preset) -> str:
    """What takes less memory: half of the batch, and the preset that draws the next fewer pixels."""
    fewer = [one for one in PRESETS.values() if one.size < preset.size and one.prior == preset.prior != ""]
    fewer = fewer or [one for one in PRESETS.values() if one.name == preset.prior]
    found = [f"--batch-size {preset.batch_size // 2}"] if preset.batch_size > 1 else []
    found += [f"--preset {max(fewer, key=lambda one: one.size).name}"] if fewer else []
    return " or ".join(found) or "a smaller --bottleneck"
