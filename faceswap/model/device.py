"""What Keras computes on, said aloud: no silent fall-back to the CPU."""

import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import keras


@dataclass(frozen=True)
class Device:
    """The device of this process.

    Attributes:
        backend: Keras' backend.
        name: what a person calls the device.
        accelerated: a GPU or TPU.
        bfloat16: whether it multiplies bfloat16 natively (then mixed precision is faster).
    """

    backend: str
    name: str
    accelerated: bool
    bfloat16: bool

    @property
    def dtype(self) -> str:
        """The Keras dtype policy that is fastest here."""
        return "mixed_bfloat16" if self.bfloat16 else "float32"

    def __str__(self) -> str:
        return f"{self.name} ({self.backend}, {self.dtype})"


@lru_cache
def device() -> Device:
    """Look once at what the backend sees."""
    backend = keras.backend.backend()
    gpu = {"tensorflow": _tensorflow_gpu, "jax": _jax_gpu, "torch": _torch_gpu}[backend]()
    if gpu:
        return Device(backend, gpu, accelerated=True, bfloat16=True)
    return Device(backend, f"CPU {platform.processor() or platform.machine()}", False, _cpu_has_bfloat16())


def _tensorflow_gpu() -> str | None:
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU") if found else None


def _jax_gpu() -> str | None:
    import jax

    return None if jax.default_backend() == "cpu" else jax.devices()[0].device_kind


def _torch_gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def _cpu_has_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.exists() else ""
    return "avx512_bf16" in text or "amx_bf16" in text
