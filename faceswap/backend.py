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
_CUDA_OF_TENSORFLOW = "nvidia.cuda_runtime"
"""What ``tensorflow[and-cuda]`` brings; JAX's lies in ``nvidia.cu13``."""
_CUDA_OF_TORCH = Path("lib", "libtorch_cuda.so")
LARGE_PRESET, PATIENT_PRESET, SMALL_PRESET = "hd256", "hd128", "lite"
PATIENT_MINUTES = 10.0
"""From which on a CPU trains the patient preset: ``lite`` gains little after four (docs/measurements/presets.md)."""


def has_driver() -> bool:
    """Whether this machine has a driver for an NVIDIA GPU, and the GPU is not hidden."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in {"", "-1"}
    return not hidden and any(path.exists() for path in _DRIVER)


@lru_cache
def trains_on_gpu() -> bool:
    """Whether trainings are expected to run on a GPU here: a driver, and the backend's CUDA, which is not hindered."""
    if not has_driver():
        return False
    match os.environ.get("KERAS_BACKEND", "jax"):
        case "jax":
            return os.environ.get("JAX_PLATFORMS", "") != "cpu" and has_cuda_for_jax()
        case "tensorflow":
            return _installed("tensorflow") and _installed(_CUDA_OF_TENSORFLOW)
        case "torch":
            spec = find_spec("torch")
            return bool(spec and spec.origin and (Path(spec.origin).parent / _CUDA_OF_TORCH).exists())
    return False


def has_cuda_for_jax() -> bool:
    """Whether JAX's CUDA plugin is installed: the extra ``gpu``."""
    return any(map(_installed, _PLUGINS))


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def presets_here(minutes: float | None = None) -> tuple[str, ...]:
    """The names of the presets that suit the machine and the time where none is given, the one with most pixels first.

    Args:
        minutes: of the training; None: a few.
    """
    if trains_on_gpu():
        return LARGE_PRESET, PATIENT_PRESET, SMALL_PRESET
    patient = minutes is not None and minutes >= PATIENT_MINUTES
    return (PATIENT_PRESET, SMALL_PRESET) if patient else (SMALL_PRESET,)


def preset_here(minutes: float | None = None) -> str:
    """The name of the preset where none is given and all face sets are large enough."""
    return presets_here(minutes)[0]


def choose() -> None:
    """Set the backend, and let each process take the GPU's memory as it needs it, so that several share one."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # CUDA counts cards as NVIDIA's other tools do
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules:
        return
    if trains_on_gpu() or (not find_spec("tensorflow") and find_spec("jax")):
        os.environ["KERAS_BACKEND"] = "jax"
