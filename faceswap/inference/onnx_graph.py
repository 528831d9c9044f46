"""Networks in ONNX Runtime: what swaps, evaluates and serves imports no TensorFlow."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import RegistryError
from faceswap.faces.crispness import UNMEASURED, Crispness
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry

THREADS = min(os.cpu_count() or 1, 8)
"""For one call: one for each core, of many cores 8 (more were not measured).

One crop of ``lite`` on 2 busy cores, least of 12 rounds, ms on the clock and of the processor: 1 thread 31 and 10,
2 threads 19 and 9; ONNX Runtime's own choice, which ties its threads to cores, 26 and 15. Where the threads spin while
they wait, 2 take 42 and 20.
"""


@cache
def _runtime() -> Any:
    """ONNX Runtime, imported at the first graph: commands that only list versions need none."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # of its warnings for graphs by tf2onnx none asks for anything
    return onnxruntime


class Graph:
    """A graph of one input and one output as a function of crops; safe to call from several threads.

    Args:
        source: file, or its bytes.
        threads: for one call; 0: as ONNX Runtime chooses, tied to cores.

    Raises:
        RegistryError: it is no graph that ONNX Runtime can read.
    """

    def __init__(self, source: Path | bytes, threads: int = THREADS) -> None:
        ort = _runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.enable_cpu_mem_arena = False
        # a spinning thread would take a core from the other stages of a video
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                str(source) if isinstance(source, Path) else source, options, providers=providers()
            )
            (self._input,) = (one.name for one in self._session.get_inputs())
            (self._output,) = (one.name for one in self._session.get_outputs())
        except Exception as error:  # ONNX Runtime's errors have no common class
            place = source if isinstance(source, Path) else "in memory"
            raise RegistryError(f"The graph {place} can't be read: {str(error)[:300]}") from error
        self.nbytes = source.stat().st_size if isinstance(source, Path) else len(source)
        """Bytes of the file: nearly all of them are weights."""

    @property
    def about(self) -> Mapping[str, str]:
        """What was written into the file with it."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def provider(self) -> str:
        """What it runs on: the first of :func:`providers` that could be started."""
        return str(self._session.get_providers()[0])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the input without the batch; 0: a side that the graph leaves open."""
        return _sides(self._session.get_inputs()[0].shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of the output without the batch; 0: a side that the graph leaves open."""
        return _sides(self._session.get_outputs()[0].shape)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> (n, s, s, channels) float32."""
        if not len(crops):
            return np.empty((0, *self.output_shape), np.float32)
        (result,) = self._session.run([self._output], {self._input: crops / np.float32(255)})
        return np.asarray(result, np.float32)


def _sides(shape: Sequence[int | str | None]) -> tuple[int, ...]:
    return tuple(side if isinstance(side, int) else 0 for side in shape[1:])


class OnnxNetwork:
    """A registered version's graph as the swapper wants it: crops of any face in, generated faces out.

    Args:
        graph: encoder, range of codes and decoder in one.
        geometry: the crop that it reads and writes.
        crispness: how much its pictures have to be sharpened.
        fine_detail: what photos show beyond them.
    """

    def __init__(
        self,
        graph: Graph,
        geometry: Geometry,
        crispness: Crispness = UNMEASURED,
        fine_detail: FineDetail | None = None,
    ) -> None:
        self._graph, self.geometry = graph, geometry
        self.crispness, self.fine_detail = crispness, fine_detail

    @property
    def nbytes(self) -> int:
        """Bytes that the weights and the fine detail take."""
        detail = self.fine_detail
        return self._graph.nbytes + (detail.nbytes if detail else 0)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, S, S, 3) uint8 RGB -> (n, S, S, 3) float32 RGB in 0..1."""
        return self._graph(crops)


def providers() -> list[str]:
    """What graphs run on, in the order of preference: CUDA where ``onnxruntime-gpu`` is installed, else the CPU."""
    usable = _runtime().get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in usable]
