"""Which reference each face of a frame gets: several references, each for the face of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from faceswap.swap.face_network import FaceNetwork

Skipped = Literal[
    "too small",
    "too many",
    "too turned",
    "uncertain",
    "another person",
    "outside the frame",
    "broken landmarks",
]
Assignment = int | Skipped
"""The number of the reference that a face gets, or why it is left alone."""


@dataclass(frozen=True)
class Reference:
    """A reference and whom it is for.

    Attributes:
        network: makes the crops of the reference.
        match: (128,) embedding of the one person who gets it; None: everybody who has no reference of their own.
    """

    network: FaceNetwork
    match: NDArray[np.float64] | None = None


def distances_to(embedding: NDArray[np.float64], references: Sequence[Reference]) -> NDArray[np.float64]:
    """(references,) embedding distance of a face to each one's person; NaN where the reference is for everybody."""
    return np.array(
        [
            np.nan if reference.match is None else float(np.linalg.norm(embedding - reference.match))
            for reference in references
        ]
    )


def assign(
    distances: Sequence[NDArray[np.float64]], references: Sequence[Reference], threshold: float
) -> list[Assignment]:
    """Assign each person's reference to the face that looks like them, and that for everybody to all others.

    A person is one face of a frame: of all assignments the one with the least sum of distances is taken
    (Hungarian method), among the pairs within the threshold.

    Args:
        distances: for each face as :func:`distances_to` gives them.
        references: each with its person.
        threshold: largest distance of the same person.

    Returns:
        for each face its reference's number, or "another person".
    """
    everybody = next((i for i, reference in enumerate(references) if reference.match is None), None)
    rest: Assignment = "another person" if everybody is None else everybody
    assignments: list[Assignment] = [rest] * len(distances)
    personal = [i for i, reference in enumerate(references) if reference.match is not None]
    if not personal or not len(distances):
        return assignments
    costs = np.stack(distances)[:, personal]
    # beyond the threshold a pair costs more than all allowed ones together
    allowed = costs <= threshold
    faces, columns = linear_sum_assignment(np.where(allowed, costs, 10.0 * (1 + len(personal)) * threshold))
    for face, column in zip(faces.tolist(), columns.tolist(), strict=True):
        if allowed[face, column]:
            assignments[face] = personal[column]
    return assignments
