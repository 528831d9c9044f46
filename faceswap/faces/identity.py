"""Whose face is it: by photos of the person, or by the largest cluster of embeddings.

An embedding takes over 100 ms, so that a video is embedded by track, not by frame: at a track's start and about
once a second within it. A face linked to the frame before by an overlap of over half its box is the same
person's; a cut or a jump starts a new track. A frame's distance is that of its track's nearest embedded frame.
"""

from collections.abc import Sequence
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import IdentityError, NoFaceFound
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.media.images import read_image

Embeddings = NDArray[np.float64]
SAME_PERSON = 0.6
"""dlib's own threshold on the distance of two embeddings."""
_MANY = 2000


def photo_embeddings(photos: Sequence[str], finder: Finder) -> Embeddings:
    """(n, 128) embeddings of the largest face of each photo; each is read and embedded once.

    Raises:
        NoFaceFound: a photo shows no face.
        IdentityError: two photos show different people.
    """
    found = []
    for photo in photos:
        image = read_image(Path(photo))
        turn, faces = find_upright(finder, image)
        if not faces:
            raise NoFaceFound(
                f"No face is in the reference photo {photo}", "choose a photo that shows the face"
            )
        found.append(finder.embed(turned(image, turn), faces[0].landmarks))
    embeddings = np.stack(found)
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=-1)
    if apart.max() > SAME_PERSON:
        i, j = np.unravel_index(apart.argmax(), apart.shape)
        raise IdentityError(
            f"The reference photos {photos[i]} and {photos[j]} show different people (distance {apart.max():.2f})",
            "give photos of one person",
        )
    return embeddings


def largest_cluster(embeddings: Embeddings, weights: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
    """Which embeddings belong to the person who is seen most (chinese whispers, dlib).

    Args:
        embeddings: (n, 128).
        weights: (n,) how many faces each stands for.

    Returns:
        (n,) mask of the largest cluster, and the weight of the second over that of the largest.
    """
    chosen = np.arange(len(embeddings))
    if len(chosen) > _MANY:  # the clustering is quadratic
        chosen = np.linspace(0, len(embeddings) - 1, _MANY).astype(int)
    labels = np.array(dlib.chinese_whispers_clustering([dlib.vector(e) for e in embeddings[chosen]], 0.5))
    sizes = np.bincount(labels, weights=weights[chosen])
    best = int(sizes.argmax())
    centre = embeddings[chosen][labels == best].mean(0)
    second = float(np.sort(sizes)[-2] / sizes[best]) if len(sizes) > 1 else 0.0
    mask = np.linalg.norm(embeddings - centre, axis=1) <= SAME_PERSON
    if len(chosen) == len(embeddings):
        mask &= (labels == best) | (np.linalg.norm(embeddings - centre, axis=1) <= 0.5)
    return mask, second
