"""Which Keras backend trains here, chosen before Keras is imported, and without importing it.

JAX where there is an NVIDIA GPU and JAX's CUDA plugin (the extra ``gpu``), or where TensorFlow is not installed;
TensorFlow else. KERAS_BACKEND, where it is set, decides.
"""

import os
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

_DRIVER = tuple(map(Path, ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")))
"""Of NVIDIA's driver; the last one under Windows' Linux."""
_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")
LARGE_PRESET, PATIENT_PRESET, SMALL_PRESET = "hd256", "hd128", "lite"
PATIENT_MINUTES = 10.0
"""From which on a CPU trains the patient preset: ``lite`` gains little after four (docs/measurements/presets.md)."""


def has_driver() -> bool:
    """Whether this machine has a driver for an NVIDIA GPU, and the GPU is not hidden."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in {"", "-1"}
    return not hidden and any(path.exists() for path in _DRIVER)


@lru_cache
def trains_on_gpu() -> bool:
    """Whether trainings are expected to run on a GPU here: a driver, and JAX with CUDA, which is not hindered."""
    jax_wanted = os.environ.get("KERAS_BACKEND", "jax") == "jax"
    cpu_wanted = os.environ.get("JAX_PLATFORMS", "") == "cpu"
    return jax_wanted and not cpu_wanted and has_driver() and any(map(find_spec, _PLUGINS))


def preset_here(minutes: float | None = None) -> str:
    """The name of the preset where none is given: as many pixels as the machine trains in the time.

    Args:
        minutes: of the training; None: a few.
    """
    if trains_on_gpu():
        return LARGE_PRESET
    return PATIENT_PRESET if minutes and minutes >= PATIENT_MINUTES else SMALL_PRESET


def choose() -> None:
    """Set the backend, and let each process take the GPU's memory as it needs it, so that several share one."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules:
        return
    if trains_on_gpu() or (not find_spec("tensorflow") and find_spec("jax")):
        os.environ["KERAS_BACKEND"] = "jax"
