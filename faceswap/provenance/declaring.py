"""What every picture that holds generated faces goes through before anybody sees it: its label and its mark.

Results of swaps get both from the swapper, which knows which frames it touched and what its user chose. Everything
else, sheets, previews, the pictures of reports, MLflow and Prefect, gets both here: the functions that write, log or
show a picture ask for its origin, and call :func:`declared` with it.
"""

import numpy as np
from numpy.typing import NDArray

from faceswap.provenance.label import DEFAULT_TEXT, stamp
from faceswap.provenance.metadata import RENDERER, Provenance
from faceswap.provenance.watermark import mark


def declared(image: NDArray[np.uint8], origin: Provenance | None) -> NDArray[np.uint8]:
    """A picture as it may be shown.

    Args:
        image: (H, W, 3) uint8 RGB without label and mark; not changed.
        origin: of the generated faces in it, whose options may name the label's text and leave the mark out; None: it
            holds none. Rendered people are what trainings and their truth are made of: of these only the file tells.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if origin is None or origin.model == RENDERER:
        return image
    labelled = stamp(image, str(origin.options.get("label_text") or DEFAULT_TEXT))
    return mark(labelled) if origin.options.get("watermark", True) else labelled
