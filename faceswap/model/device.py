"""What Keras computes on, said aloud: no silent fall-back to the CPU.

Importing Keras takes seconds. Where it is not imported yet and the system shows no accelerator, it is not asked.
"""

import json
import logging
import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from faceswap import backend
from faceswap.errors import TrainingError

_heard: list[str] = []
_ACCELERATORS = ("nvidia[0-9]*", "dxg", "kfd", "accel*", "vfio/[0-9]*")
"""Device files below /dev on Linux: NVIDIA's, Windows' under WSL, AMD's, TPUs' (two ways)."""


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
    name = _backend()
    ask = {"tensorflow": _tensorflow_gpu, "jax": _jax_gpu, "torch": _torch_gpu}[name]
    found = ask() if name in sys.modules or _may_have_accelerator() else None
    if found:
        card, bfloat16 = found
        return Device(name, card, accelerated=True, bfloat16=bfloat16)
    return Device(name, f"CPU {platform.processor() or platform.machine()}", False, _cpu_has_bfloat16())


def idle_gpu() -> str:
    """Why the GPU that this machine seems to have does not train, in a sentence; empty: it does, or there is none."""
    if not backend.trains_on_gpu() or device().accelerated:
        return ""
    return f"The GPU of this machine can't be used, and the {device()} trains: {_refusal(device().backend)}"


def _refusal(name: str) -> str:
    """What the backend says of it."""
    if name != "jax":
        return f"{name} does not find it"
    import jax

    try:
        jax.devices("cuda")
    except RuntimeError as error:
        return (_heard[-1] if _heard else str(error).splitlines()[0]).rstrip(".")
    return "JAX_PLATFORMS names another device first"


def _backend() -> str:
    """Keras' backend, found where Keras looks for it."""
    if "keras" in sys.modules:
        import keras

        return str(keras.backend.backend())
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    config = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "keras.json")
    try:
        return str(json.loads(config.read_text()).get("backend", "tensorflow"))
    except (OSError, ValueError):
        return "tensorflow"


def _may_have_accelerator() -> bool:
    return sys.platform != "linux" or any(any(Path("/dev").glob(name)) for name in _ACCELERATORS)


def _tensorflow_gpu() -> tuple[str, bool] | None:
    """Name of the first GPU, and whether it has bfloat16."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("device_name", "GPU"), _is_ampere_or_newer(details.get("compute_capability"))


def _jax_gpu() -> tuple[str, bool] | None:
    import jax

    asked = logging.getLogger("jax._src.xla_bridge")
    asked.addFilter(_hear)
    try:
        if jax.default_backend() == "cpu":
            return None
    except (RuntimeError, AssertionError) as error:  # JAX_PLATFORMS names a device, and it can't be used
        reason = _heard[-1] if _heard else (str(error) or "it finds none").splitlines()[0]
        raise TrainingError(
            f"JAX can't use what JAX_PLATFORMS names: {reason}",
            "look after the driver (`nvidia-smi`), or leave JAX_PLATFORMS out",
        ) from error
    finally:
        asked.removeFilter(_hear)
    first = jax.devices()[0]
    if first.platform == "tpu":  # bfloat16 was made for them
        return first.device_kind, True
    capability = str(getattr(first, "compute_capability", "")).split(".")  # "8.0"; AMD's are "gfx90a"
    numbers = tuple(int(part) for part in capability) if all(p.isdecimal() for p in capability) else None
    return first.device_kind, _is_ampere_or_newer(numbers)


def _hear(record: logging.LogRecord) -> bool:
    """Keep in mind why JAX could not start CUDA, which it logs with a traceback and tells nobody."""
    if not record.exc_info or not record.exc_info[1]:
        return True
    _heard.append((str(record.exc_info[1]) or type(record.exc_info[1]).__name__).splitlines()[0])
    return False


def _torch_gpu() -> tuple[str, bool] | None:
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(0), torch.cuda.is_bf16_supported(including_emulation=False)


def _is_ampere_or_newer(capability: tuple[int, ...] | None) -> bool:
    """Whether an NVIDIA GPU multiplies bfloat16 (compute capability 8.0); of others nothing is known: float32."""
    return capability is not None and capability >= (8, 0)


def _cpu_has_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.exists() else ""
    return "avx512_bf16" in text or "amx_bf16" in text
