"""Things laid over real faces, by other means than those that the segmentation network was taught with."""

import cv2
import numpy as np

from faceswap.faces.geometry import Points
from faceswap.faces.regions import Region
from faceswap.swap.masks.visibility import visible_face

Covered = tuple[np.ndarray, np.ndarray]
"""A picture (H, W, 3) uint8 RGB, and (H, W) where something lies over the face."""


def fingers(image: np.ndarray, points: Points, seed: int) -> Covered:
    """Fingers with the very skin of the face's own cheek, from the side over the lower face, and where they are."""
    rng = np.random.default_rng(seed)
    unit = float(np.linalg.norm(points[57] - points[17:27].mean(0)))
    tip = points[int(rng.choice([30, 48, 54, 66]))] + rng.normal(0, 0.06, 2) * unit
    angle = rng.uniform(0.1, np.pi - 0.1)
    back, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    width = unit * 0.15
    covered = np.zeros(image.shape[:2], np.uint8)
    gaps = np.zeros(image.shape[:2], np.float32)
    count = int(rng.integers(2, 5))
    for number in range(count):
        start = tip + side * (number - (count - 1) / 2) * width * 1.05
        ends = [tuple(np.rint(p).astype(int).tolist()) for p in (start, start + back * unit * 1.2)]
        cv2.line(covered, *ends, 1, round(width))
        if number:
            edge = [tuple(np.rint(p - side * width * 0.52).astype(int).tolist()) for p in np.array(ends)]
            cv2.line(gaps, *edge, 1.0, max(1, round(width * 0.1)), cv2.LINE_AA)
    middle, reach = ((points[2] + points[31]) / 2).astype(int), round(unit * 0.12)
    patch = image[middle[1] - reach : middle[1] + reach, middle[0] - reach : middle[0] + reach]
    tile = np.hstack([patch, patch[:, ::-1]])
    tile = np.vstack([tile, tile[::-1]])
    times = [size // len(tile) + 1 for size in image.shape[:2]]
    skin = np.tile(tile, (*times, 1))[: image.shape[0], : image.shape[1]] * rng.uniform(0.9, 1.1)
    deep = cv2.distanceTransform(covered, cv2.DIST_L2, 5)
    shade = (1 - 0.25 * np.exp(-deep / (width * 0.15))) * (1 - 0.4 * gaps)
    soft = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), 1)[..., None]
    shadow = 1 - 0.2 * cv2.GaussianBlur(covered.astype(np.float32), (0, 0), width * 0.15)[..., None]
    picture = image * shadow * (1 - soft) + skin * shade[..., None] * soft
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), covered > 0


def thin_glasses(image: np.ndarray, points: Points, seed: int) -> Covered:
    """Glasses with a thin dark or brown frame and clear lenses, and where the frame is."""
    rng = np.random.default_rng(seed)
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    apart = float(np.linalg.norm(right - left))
    across, thick = (right - left) / apart, max(1, round(apart * rng.uniform(0.03, 0.06)))
    reach, height = apart * 0.42, apart * rng.uniform(0.28, 0.36)
    drawn = np.zeros(image.shape[:2], np.uint8)
    for eye in (left, right):
        centre = np.rint(eye + np.array([0, 0.06 * apart])).astype(int).tolist()
        cv2.ellipse(drawn, centre, (round(reach), round(height)), 0, 0, 360, 255, thick, cv2.LINE_AA)
    strokes = [
        (left + across * reach, right - across * reach),
        (left - across * reach, points[0]),
        (right + across * reach, points[16]),
    ]
    for ends in strokes:
        cv2.line(drawn, *(np.rint(end).astype(int).tolist() for end in ends), 255, thick, cv2.LINE_AA)
    colour = np.array([40, 35, 40]) if rng.random() < 0.6 else np.array([120, 90, 60])
    alpha = drawn[..., None] / 255
    return np.rint(image * (1 - alpha) + colour * alpha).astype(np.uint8), drawn > 127


def grown(where: np.ndarray, pixels: int) -> np.ndarray:
    return np.asarray(cv2.dilate(where.astype(np.uint8), np.ones((pixels, pixels))) > 0)


def hidden_in(image: np.ndarray, points: Points) -> np.ndarray:
    whole = Region(0, 0, image.shape[1], image.shape[0])
    return np.asarray(visible_face(image, points).in_region(whole) < 0.5)


def within(points: Points, shape: tuple[int, ...]) -> np.ndarray:
    """The face without its border."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)
    unit = float(np.linalg.norm(points[57] - points[17:27].mean(0)))
    return cv2.erode(inside, np.ones((round(unit * 0.1),) * 2)) > 0
