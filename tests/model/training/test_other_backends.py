"""The engines and the pairs on the backends that this process does not run on."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

CHOSEN = (
    "tests/model/training/test_device_pairs.py",
    "tests/model/training/test_engines.py",
    "tests/model/training/test_device_memory.py",
    "-k",
    "not device-host and not host-device",  # saved and restored is each engine's state by the one resumed on its own
)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_pairs_and_engines_on(backend: str, tmp_path: Path) -> None:
    if backend == keras.backend.backend() or not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed, or it is what all tests run on")
    quick = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}  # compiling takes most of the time
    quick |= {"JAX_COMPILATION_CACHE_DIR": str(tmp_path)}
    environment = os.environ | quick | {"KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *CHOSEN],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
