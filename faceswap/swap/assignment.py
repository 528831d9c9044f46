"""Who gets whose face: several references in one frame, each for the face that looks like a photo."""

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
Choice = int | Skipped
"""The number of the role that a face gets, or why it is left alone."""


@dataclass(frozen=True)
class Role:
    """A reference and whom it is for.

    Attributes:
        network: makes the crops of the reference.
        match: (128,) embedding of the one person who gets it; None: everybody who has no role of their own.
    """

    network: FaceNetwork
    match: NDArray[np.float64] | None = None


def distances_to(embedding: NDArray[np.float64], roles: Sequence[Role]) -> NDArray[np.float64]:
    """(roles,) embedding distance of a face to each role's person; NaN where the role is for everybody."""
    return np.array(
        [np.nan if role.match is None else float(np.linalg.norm(embedding - role.match)) for role in roles]
    )


def cast(distances: Sequence[NDArray[np.float64]], roles: Sequence[Role], threshold: float) -> list[Choice]:
    """Give each person's role to the face that looks like them, and the role for everybody to all others.

    A person is one face of a frame: of all ways to give the roles the one with the least sum of distances is taken
    (Hungarian method), among the pairs within the threshold.

    Args:
        distances: for each face as :func:`distances_to` gives them.
        roles: who there is.
        threshold: largest distance of the same person.

    Returns:
        for each face its role's number, or "another person".
    """
    everybody = next((i for i, role in enumerate(roles) if role.match is None), None)
    rest: Choice = "another person" if everybody is None else everybody
    choices: list[Choice] = [rest] * len(distances)
    personal = [i for i, role in enumerate(roles) if role.match is not None]
    if not personal or not len(distances):
        return choices
    costs = np.stack(distances)[:, personal]
    # beyond the threshold a pair costs more than all allowed ones together
    allowed = costs <= threshold
    faces, columns = linear_sum_assignment(np.where(allowed, costs, 10.0 * (1 + len(personal)) * threshold))
    for face, column in zip(faces.tolist(), columns.tolist(), strict=True):
        if allowed[face, column]:
            choices[face] = personal[column]
    return choices
