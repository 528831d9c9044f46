"""Pictures that say more than numbers: rows of comparison, the best and the worst swaps, before and after."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import shown, spaced
from faceswap.faces.faceset import FaceSet
from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import INNER

Image = NDArray[np.uint8]
Kind = Literal["typical", "best", "worst"]

_BAND = 18
"""Height of a caption, px."""
_GREY = 32
"""Grey level of the background."""


class FaceSwapper(Protocol):
    """What swaps one face; ``faceswap.swap.swapper.Swapper`` does."""

    def swap_face(self, frame: Image, landmarks: Points) -> Image:
        """The frame with the face at these (68, 2) landmarks swapped."""


@dataclass(frozen=True)
class Tile:
    """A picture with a caption."""

    image: Image
    """(H, W, 3) uint8 RGB of any size; it is fitted into a square."""
    caption: str = ""


def sheet(rows: Sequence[Sequence[Tile]], side: int = 160) -> Image:
    """Rows of captioned square pictures.

    Args:
        rows: of tiles; shorter rows are filled up with grey.
        side: of each picture in pixels.

    Returns:
        (H, W, 3) uint8 RGB; one grey tile for no rows at all.
    """
    columns = max((len(row) for row in rows), default=1)
    canvas = np.full(((side + _BAND) * max(1, len(rows)), side * columns, 3), _GREY, np.uint8)
    picture = Pillow.fromarray(canvas)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            left, top = x * side, y * (side + _BAND)
            picture.paste(Pillow.fromarray(_fitted(tile.image, side)), (left, top + _BAND))
            text = tile.caption
            while text and draw.textlength(text, font) > side - 6:
                text = text[:-2] + "…" if len(text) > 2 else ""
            draw.text((left + 3, top + 2), text, fill=(235, 235, 235), font=font)
    return np.asarray(picture)


def case_sheet(
    result: PairResult,
    swapper: FaceSwapper,
    target: FaceSet,
    reference: FaceSet,
    count: int = 2,
    side: int = 160,
) -> Image:
    """Typical, best and worst swaps: ``original | swap | reference's nearest real face | its reconstruction``.

    Of fictional people also the true swap, beside the swap.

    Best and worst are by identity distance; swaps without a detectable face are the worst. Nearest means: with
    the most similar landmarks, so in nearly the same pose and expression.

    Args:
        result: of this pair, with its frames.
        swapper: with the reference's decoder, which also reconstructs the reference's own faces.
        target, reference: the face sets of the pair.
        count: rows of each kind.
        side: of each picture in pixels.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    points = target.landmarks("heldout")
    real_points = reference.landmarks("heldout")
    real_shapes, real_seen = _shapes(real_points), reference.in_frame("heldout")
    rows: list[list[Tile]] = []
    kinds: tuple[Kind, ...] = ("typical", "best", "worst")
    for kind in kinds:
        for i in chosen(result, kind, count):
            frame = result.table.iloc[i]
            own = _shapes(points[int(frame["row"])][None])
            near = int(np.abs(real_shapes - own).sum((1, 2)).argmin())
            found = f"{frame['identity_distance']:.2f}" if frame["detected"] else "no face found"
            (photo,) = reference.images("heldout", np.array([near]))
            rebuilt = swapper.swap_face(photo, real_points[near])
            real, rebuilt = shown(np.stack([photo, rebuilt]), real_seen[near][None])
            rows.append(
                [
                    Tile(result.originals[i], f"{kind}: {result.target}"),
                    Tile(result.swaps[i], f"swap: {found}"),
                    *([Tile(result.truths[i], "the true swap")] if len(result.truths) else []),
                    Tile(real, f"real {result.reference}"),
                    Tile(rebuilt, "reconstruction"),
                ]
            )
    return sheet(rows, side)


def before_after(results: Sequence[PairResult], count: int = 3, side: int = 200) -> Image:
    """One row per pair: ``count`` typical held-out frames, each before and after the swap; (H, W, 3) uint8 RGB."""
    return sheet(
        [
            [
                tile
                for i in chosen(result, "typical", count)
                for tile in (
                    Tile(result.originals[i], result.target),
                    Tile(result.swaps[i], f"with {result.reference}'s face"),
                    *([Tile(result.truths[i], "the true swap")] if len(result.truths) else []),
                )
            ]
            for result in results
        ],
        side,
    )


def chosen(result: PairResult, kind: Kind, count: int) -> list[int]:
    """Which of the evaluated frames to show: evenly spread over time, or the best or worst first."""
    if kind == "typical":
        return [int(i) for i in spaced(result.frames, count)]
    worst_first = result.table.reset_index(drop=True).sort_values(
        ["detected", "identity_distance"], ascending=[True, False], kind="stable"
    )
    order = [int(i) for i in worst_first.index]
    return (order if kind == "worst" else order[::-1])[:count]


def expression_plot(result: PairResult) -> Image:
    """The opening of lips and eyes over the evaluated frames, target against swap; (H, W, 3) uint8 RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, key, title in zip(
        figure.subplots(2, 1, sharex=True), ("lip_gap", "eye"), ("lips", "eyes"), strict=True
    ):
        axes.plot(
            result.table[f"{key}_target"], label=f"{result.target} (target)", color="0.55", linewidth=2.5
        )
        axes.plot(result.table[key], label=f"swap to {result.reference}", color="tab:blue", marker=".")
        axes.set_ylabel(f"{title}, opening")
    axes.set_xlabel("held-out frame")
    figure.axes[0].legend(loc="upper right", fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Pillow.open(buffer).convert("RGB"))


def _shapes(landmarks: Points) -> Points:
    """(n, 51, 2) inner landmarks without place and size."""
    inner = landmarks[:, INNER]
    inner = inner - inner.mean(1, keepdims=True)
    return inner / np.linalg.norm(inner, axis=(1, 2), keepdims=True)


def _fitted(image: Image, side: int) -> Image:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.full((side, side, 3), _GREY, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square
