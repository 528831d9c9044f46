"""Keras models as ONNX graphs: by tf2onnx, in TensorFlow, whatever the backend that trained them.

``python -m faceswap.inference.graph_export MODEL.keras GRAPH.onnx`` is what a process with another backend starts.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import onnx

from faceswap.errors import RegistryError
from faceswap.files.atomic import replacing
from faceswap.inference import code_range_layer
from faceswap.model.networks import architecture

_LAYERS = architecture, code_range_layer
"""Modules whose layers may be in a file: importing them makes Keras know the layers."""


def write_graph(model: keras.Model, path: Path, about: Mapping[str, str] | None = None) -> None:
    """Write a Keras model as an ONNX graph, float32, whole or not at all.

    It takes 4 s of the processor for ``lite``, with another backend than TensorFlow some 6 s more.

    Args:
        model: one input (n, s, s, channels) and one output.
        path: ``.onnx``.
        about: metadata of the file.

    Raises:
        RegistryError: it can't be exported.
        OSError: it can't be written.
    """
    with replacing(path) as part:
        if keras.backend.backend() == "tensorflow":
            _export(model, part)
        else:
            export_in_tensorflow(model, part)
        graph = onnx.load(part)
        for key, value in (about or {}).items():
            entry = graph.metadata_props.add()
            entry.key, entry.value = key, value
        onnx.save(graph, part)


def _export(model: keras.Model, path: Path) -> None:
    for name in ("tf2onnx.tfonnx", "tf2onnx.tf_utils", "tf2onnx.optimizer"):  # they tell of each step
        logging.getLogger(name).setLevel(logging.WARNING)
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras exports only what was called
    model.export(path, format="onnx", verbose=False)


def export_in_tensorflow(model: keras.Model, path: Path) -> None:
    """Write the graph in a process of its own with TensorFlow, on the CPU.

    Raises:
        RegistryError: it can't be exported.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.keras")
        model.save(file)
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(file), str(path)],
            env=os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it was ended"]
        raise RegistryError(
            f"The model can't be exported to ONNX: {lines[-1][:300]}",
            "install the pinned versions of tensorflow, onnx and tf2onnx again: `uv sync`",
        )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    read = keras.models.load_model(source, compile=False)
    _export(read, target)
