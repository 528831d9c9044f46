"""Generated pictures in MLflow carry label, mark, origin and content credentials as all others do."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceswap.media.images import write_image
from faceswap.provenance.metadata import Provenance


class _Signed(Image.Image):
    """A picture that writes itself with its origin, also when it was made smaller: MLflow does both itself."""

    origin: Provenance

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
        """Label, mark, write and sign the file."""
        write_image(Path(fp), np.asarray(self), metadata=self.origin)

    def resize(self, *args: Any, **kwargs: Any) -> Image.Image:
        """The thumbnail."""
        return signed(np.asarray(super().resize(*args, **kwargs)), self.origin)


def signed(image: NDArray[np.uint8], origin: Provenance) -> Image.Image:
    """(H, W, 3) uint8 RGB without label and mark as what MLflow takes, makes a thumbnail of, and saves."""
    made = Image.fromarray(image)
    made.__class__ = _Signed
    made.origin = origin  # type: ignore[attr-defined]
    return made
