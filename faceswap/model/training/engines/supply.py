"""What device engines feed their calls with: the faces on the device, and the coming steps' random numbers."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.pairs.draws import BatchDraws, PairDraws
from faceswap.model.training.pairs.resident_faces import FaceArrays, Faces, Rows
from faceswap.model.training.schedule import Step

MOST_STEPS = 256
"""Of a call: their draws travel together."""
_SECONDS = 0.5
"""A call's length: a report, a validation or a cancellation waits no longer."""
_SENT = 2**29
"""Bytes of faces that a call is sent at most, where not all stay on the device: sending them takes as long for a
few steps as for all that a call can hold, and calls would get ever shorter where that is the longer part."""
_SHARE = 0.4
"""Of the device's memory, that faces may take; the rest is the network's."""


class Pace:
    """How many steps a call takes so that it ends in time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.steps = min(8, most)

    @property
    def likely(self) -> int:
        """No more than these the next call will want, unless the pace changes much."""
        return self.steps + self.steps // 4 + 1

    def took(self, steps: int, seconds: float) -> None:
        """A call is done; from one to the next the steps at most double four times."""
        fitting = int(_SECONDS * steps / max(seconds, 1e-6))
        self.steps = max(1, min(fitting, 16 * self.steps, self.most))


class _Ready(NamedTuple):
    steps: range
    faces: FaceArrays
    rows: Rows
    draws: BatchDraws


class Supply:
    """Faces and draws for the calls of an engine.

    All faces stay on the device where they fit; else each call gets those that its steps need.

    Args:
        data: crops, and the draws of a step.
        seed: of the run.
        put: host array -> device array.
        memory: bytes of the device; None: unknown, then the faces are taken to fit.
    """

    def __init__(self, data: TrainingData, seed: int, put: Callable[[Any], Any], memory: int | None) -> None:
        self._data, self._seed, self._put = data, seed, put
        self.faces = Faces.of(data)
        self.resident = self.faces.addressable and (memory is None or self.faces.nbytes <= _SHARE * memory)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="draws")
        self._ready: Future[_Ready] | None = None
        pairs = len(data.identities) * data.preset.batch_size
        self.most, self._capacity = MOST_STEPS, 0
        self._kept: FaceArrays | None = None
        if not self.resident:
            room = min(_SHARE * (memory or 2**33) / 2, _SENT)  # the next call's come while one runs
            of_a_step = 2 * pairs * self.faces.side**2 * 4
            self.most = max(1, min(MOST_STEPS, int(room / of_a_step)))
            self._capacity = 2 * pairs * self.most

    def prepare(self, first: int, count: int) -> None:
        """Begin to prepare a call: ``count`` steps from ``first`` on, in a thread, since calls wait for the device."""
        self._ready = self._thread.submit(self._made, first, min(count, self.most))

    def of(self, plan: Sequence[Step]) -> tuple[FaceArrays, Rows, BatchDraws]:
        """Faces, rows and draws of the steps of a plan, each with a first axis of ``most``; later ones are any."""
        ready, first, last = self._ready and self._ready.result(), plan[0].number, plan[-1].number
        if not ready or first != ready.steps.start or last not in ready.steps:
            ready = self._made(first, len(plan))
        return ready.faces, ready.rows, ready.draws

    def _made(self, first: int, count: int) -> "_Ready":
        drawn = [self._data.draws(self._seed, step) for step in range(first, first + count)]
        face, other, other_face = (
            self._stacked([getattr(one, name) for one in drawn]) for name in ("face", "other", "other_face")
        )
        pairs = PairDraws(
            *(self._stacked(parts) for parts in zip(*(one.pairs for one in drawn), strict=True))
        )
        draws = BatchDraws(face, other, other_face, pairs)
        return _Ready(range(first, first + count), *self._faces_of(self.faces.rows(draws), count), draws)

    def _faces_of(self, rows: Rows, count: int) -> tuple[FaceArrays, Rows]:
        if self.resident:
            if self._kept is None:
                self._kept = FaceArrays(*map(self._put, self.faces.arrays()))
            return self._kept, rows
        needed = np.unique(np.concatenate([part[:count].ravel() for part in rows]))
        placed = [np.searchsorted(needed, part).astype(np.int32).clip(0, len(needed) - 1) for part in rows]
        return FaceArrays(*map(self._put, self.faces.arrays(needed, self._capacity))), Rows(*placed)

    def _stacked(self, parts: Sequence[Any]) -> Any:
        whole = np.zeros((self.most, *parts[0].shape), parts[0].dtype)
        np.stack(parts, out=whole[: len(parts)])
        return whole

    def forget(self) -> None:
        """What is prepared of coming steps."""
        self._ready = None

    def close(self) -> None:
        """End the thread and release the device's memory."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._kept = self._ready = None


def padded(values: Sequence[float], most: int) -> Any:
    """(most,) float32, zeros after the values."""
    whole = np.zeros(most, np.float32)
    whole[: len(values)] = values
    return whole
