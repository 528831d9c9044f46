"""The tutorial's picture, as training goes on: original | reconstruction | swap for each identity."""

import numpy as np
from numpy.typing import NDArray

from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import Batches


def preview_sheet(model: Autoencoders, data: Batches, rows: int = 4) -> NDArray[np.uint8]:
    """Held-out faces of every identity, side by side with what each decoder makes of them.

    Args:
        model: being trained.
        data: its data.
        rows: faces of each identity.

    Returns:
        (N * rows * s, (1 + N) * s, 3) uint8 RGB; a row is the original, its own reconstruction, then the swaps. Whoever
        shows it names its origin, so that it is labelled and marked.
    """
    lines = []
    for own, identity in enumerate(data.identities):
        held = data.heldout[identity]
        crops = held[np.linspace(0, len(held) - 1, min(rows, len(held))).astype(int)]
        order = [own, *(i for i in range(len(data.identities)) if i != own)]
        outputs = [np.rint(model.reconstruct(crops, index) * 255).astype(np.uint8) for index in order]
        lines += [np.hstack(pictures) for pictures in zip(crops, *outputs, strict=True)]
    return np.vstack(lines)
