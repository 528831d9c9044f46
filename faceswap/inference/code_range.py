"""Where an identity's codes lie, and how other people's codes are kept there.

A decoder has only seen codes of its own identity. A head held higher than the reference ever held it, or another
person's build, gives codes beyond those, and there the decoder draws blotches. So codes that lie further out than the
identity's own held-out faces are drawn back: towards the mean, as far out as those; what lies within stays as it is.
That takes some of the expression, too. What the head that all identities share reads of it
(:mod:`faceswap.inference.expression_readings`) is given back, along the directions in which the identity's own codes vary.
"""

import base64
import io
from dataclasses import dataclass, fields
from zipfile import BadZipFile

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from faceswap.errors import RegistryError

Floats = NDArray[np.float32]

_VARIANCE = 0.99
"""Share of the codes' variance that the axes hold; the rest is noise of single faces."""
_QUANTILE = 95.0
"""Of the held-out faces' distances, per cent: nearly all of the identity's own faces stay as they are."""


@dataclass(frozen=True)
class CodeRange:
    """Of codes of width B: the directions in which an identity's codes vary, and how far out its own faces lie."""

    mean: Floats
    """(B,)"""
    axes: Floats
    """(k, B), orthonormal rows: principal components."""
    deviations: Floats
    """(k,) standard deviation along each axis."""
    within: float
    """Along the axes: root mean square of the distances from the mean, in deviations."""
    beyond: float
    """Across the axes: norm of what they don't hold."""
    readings: Floats
    """(m, B): directions along which a code is read, in units of the error of that; what is read is kept."""

    @classmethod
    def fit(cls, train: Floats, heldout: Floats, readings: Floats | None = None) -> "CodeRange | None":
        """The range of an identity's codes.

        Args:
            train: (n, B) codes of its training faces, at least 2.
            heldout: (m, B) of its held-out faces, by which the distances are measured.
            readings: what is kept of a code that is drawn back, as
                :func:`faceswap.inference.expression_readings.expression_readings` gives it; None: nothing.

        Returns:
            None where there are no held-out faces, where all training faces have the same code, or where a code is not
            finite (a training that is about to diverge goes on to its own remedy).
        """
        finite = all(np.isfinite(codes).all() for codes in (train, heldout))
        if not len(heldout) or len(train) < 2 or not finite:
            return None
        mean = train.mean(axis=0, dtype=np.float64)
        _, sizes, axes = np.linalg.svd(train - mean, full_matrices=False)
        energy = np.cumsum(sizes**2)
        if energy[-1] <= 0:
            return None
        count = int(np.searchsorted(energy, _VARIANCE * energy[-1])) + 1
        axes, deviations = axes[:count], sizes[:count] / np.sqrt(len(train))
        offsets = heldout - mean
        along = offsets @ axes.T
        across = np.linalg.norm(offsets - along @ axes, axis=1)
        distances = np.sqrt(np.mean((along / deviations) ** 2, axis=1))
        within, beyond = (float(np.percentile(d, _QUANTILE)) for d in (distances, across))
        arrays = [np.asarray(array, np.float32) for array in (mean, axes, deviations)]
        kept = np.empty((0, len(mean)), np.float32) if readings is None else readings
        return cls(arrays[0], arrays[1], arrays[2], within, beyond, kept)

    def pack(self) -> str:
        """As text: base64 of an ``.npz``."""
        buffer = io.BytesIO()
        arrays = {field.name: np.asarray(getattr(self, field.name), np.float32) for field in fields(self)}
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        return base64.b64encode(buffer.getvalue()).decode()

    @classmethod
    def unpack(cls, text: str) -> "CodeRange":
        """What :meth:`pack` made.

        Raises:
            RegistryError: it is damaged.
        """
        try:
            with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as stored:
                names = [field.name for field in fields(cls) if field.name != "readings"]
                mean, axes, deviations, within, beyond = (stored[name] for name in names)
                # versions of before have none
                readings = (
                    stored["readings"] if "readings" in stored else np.empty((0, len(mean)), np.float32)
                )
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise RegistryError(f"The version's range of codes can't be read: {error}") from error
        return cls(mean, axes, deviations, float(within), float(beyond), readings)

    @property
    def answers(self) -> Floats:
        """(m, B): how a code changes for a reading that has to be one error larger.

        The likeliest change, if the identity's codes are normal with these axes and deviations: the gain of a Kalman
        filter. So a reading in which the identity hardly varies hardly changes anything.
        """
        # of which the Gram matrix is the codes' covariance
        spread = (self.axes * self.deviations[:, None]).astype(np.float64)
        seen = spread @ self.readings.T  # (k, m)
        gain = np.linalg.solve(seen.T @ seen + np.eye(len(self.readings)), seen.T @ spread)
        return gain.astype(np.float32)


class Within(layers.Layer):
    """Draws codes (n, B) back into a range and keeps what they say of the expression; inside of it they stay."""

    def __init__(self, limits: CodeRange) -> None:
        super().__init__(trainable=False, dtype="float32", name="within")
        self.limits = limits

    def call(self, codes: keras.KerasTensor) -> keras.KerasTensor:
        """(n, B) -> (n, B) float32."""
        limits = self.limits
        # PyTorch mixes tensors with no arrays
        arrays = limits.mean, limits.axes, limits.deviations, limits.readings, limits.answers
        mean, axes, deviations, readings, answers = (ops.convert_to_tensor(array) for array in arrays)
        offsets = codes - mean
        along = ops.matmul(offsets, ops.transpose(axes))  # (n, k)
        across = offsets - ops.matmul(along, axes)
        distance = ops.sqrt(ops.mean(ops.square(along / deviations), axis=1, keepdims=True))
        norm = ops.sqrt(ops.sum(ops.square(across), axis=1, keepdims=True))
        along = along * ops.minimum(1.0, limits.within / ops.maximum(distance, 1e-6))
        across = across * ops.minimum(1.0, limits.beyond / ops.maximum(norm, 1e-6))
        inside = mean + ops.matmul(along, axes) + across
        if not len(limits.readings):
            return inside
        lost = ops.matmul(codes - inside, ops.transpose(readings))  # (n, m)
        return inside + ops.matmul(lost, answers)
