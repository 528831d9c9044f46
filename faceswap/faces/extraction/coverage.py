"""Pictures and words about a face set: does it show enough poses and expressions?"""

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from faceswap.faces.faceset import FaceSet

Image = NDArray[np.uint8]
_COLUMNS = {
    "yaw": "yaw °",
    "pitch": "pitch °",
    "roll": "roll °",
    "lip_gap": "lip gap / eye distance",
    "eye_openness": "eye openness / eye distance",
    "sharpness": "sharpness",
}


def contact_sheet(faces: FaceSet, columns: int = 12, limit: int = 96, side: int = 96) -> Image:
    """Faces evenly taken from the set, (rows * side, columns * side, 3) uint8; held-out ones have a blue frame."""
    names, held = faces.rows["crop"].to_list(), (faces.rows["split"] == "heldout").to_numpy()
    chosen = np.linspace(0, len(names) - 1, min(limit, len(names))).astype(int)
    tiles = []
    for index in chosen:
        tile = cv2.resize(faces.image(names[index]), (side, side), interpolation=cv2.INTER_AREA)
        if held[index]:
            tile = cv2.rectangle(tile.copy(), (0, 0), (side - 1, side - 1), (40, 110, 255), 2)
        tiles.append(tile)
    tiles += [np.full((side, side, 3), 255, np.uint8)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def histograms(faces: FaceSet) -> Image:
    """Pose, expression and sharpness of training and held-out faces, as a (H, W, 3) uint8 picture."""
    figure = Figure(figsize=(11, 6), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for axis, (column, title) in zip(figure.subplots(2, 3).ravel(), _COLUMNS.items(), strict=True):
        values = [
            faces.rows.loc[faces.rows["split"] == split, column].dropna() for split in ("train", "heldout")
        ]
        axis.hist(values, bins=20, density=True, label=["train", "held out"])
        axis.set_title(title)
        axis.set_yticks([])
    figure.axes[0].legend()
    figure.suptitle(
        f"{faces.identity}: {faces.count('train')} training and {faces.count('heldout')} held-out faces"
    )
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def coverage_advice(faces: FaceSet) -> list[str]:
    """What the set lacks for good swaps, in plain words; empty where nothing is."""
    rows = faces.rows[faces.rows["split"] == "train"]
    total = len(rows)
    checks = {
        "the mouth open": (rows["lip_gap"] > 0.15).sum(),
        "the mouth shut": (rows["lip_gap"] < 0.05).sum(),
        "the head from the front": (rows["yaw"].abs() < 8).sum(),
        "the head turned to the picture's left": (rows["yaw"] < -12).sum(),
        "the head turned to the picture's right": (rows["yaw"] > 12).sum(),
    }
    advice = [
        f"few faces show {what}: {count} of {total}"
        for what, count in checks.items()
        if count < max(3, 0.03 * total)
    ]
    if total < 100:
        advice.append(f"only {total} training faces: a few hundred make better swaps")
    return advice
