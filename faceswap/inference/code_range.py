"""Where an identity's codes lie, and how other people's codes are kept there.

A decoder has only seen codes of its own identity. A head held higher than the reference ever held it, or another
person's build, gives codes beyond those, and there the decoder draws blotches. So codes that lie further out than the
identity's own held-out faces are drawn back: towards the mean, as far out as those; what lies within stays as it is.
That takes some of the expression, too. What the head that all identities share reads of it
(:mod:`faceswap.inference.expression_readings`) is given back, along the directions in which the identity's own codes
vary.
"""

import base64
import io
import zlib
from dataclasses import dataclass, fields
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import RegistryError
from faceswap.files.arrays import read_arrays

Floats = NDArray[np.float32]

_VARIANCE = 0.99
"""Share of the codes' variance that the axes hold; the rest is noise of single faces."""
_MOST_BYTES = 64 << 20
"""Of a stored range; the widest code, 1,024 numbers, takes 4 MB."""
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
            data = base64.b64decode(text, validate=True)
            stored = read_arrays(io.BytesIO(data), _MOST_BYTES)
            names = [field.name for field in fields(cls) if field.name != "readings"]
            mean, axes, deviations, within, beyond = (stored[name] for name in names)
            # versions of before have none
            readings = stored.get("readings", np.empty((0, len(mean)), np.float32))
            width = (len(mean),)
            if axes.shape[1:] != width or readings.shape[1:] != width or deviations.shape != axes.shape[:1]:
                raise ValueError("its arrays do not fit each other")
            limits = float(within), float(beyond)
        except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile, zlib.error) as error:
            raise RegistryError(f"The version's range of codes can't be read: {error}") from error
        return cls(mean, axes, deviations, *limits, readings)

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
