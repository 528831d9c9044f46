"""What an expression paints on the face: brows, eyes, folds, mouth."""

import numpy as np

from faceswap.synthetic import curves
from faceswap.synthetic.canvas import Canvas, Window, bell, blend, darken, soften, step
from faceswap.synthetic.scene import Expression
from faceswap.synthetic.traits import Array, Color, Traits, linear

_SCLERA = linear((230, 224, 218))
_TEETH = linear((226, 218, 204))
_THROAT = linear((58, 18, 20))
_TONGUE = linear((165, 78, 78))
_LASHES = np.array([0.012, 0.009, 0.008], np.float32)
_BLACK = np.array([0.004, 0.004, 0.004], np.float32)


def paint_expression(
    at_rest: Canvas, hairs: Array, traits: Traits, expression: Expression, light: Array
) -> Canvas:
    """Return the canvas of the face in an expression.

    ``hairs`` is upright noise of unit deviation, as large as the canvas; ``light`` the unit vector to the lamp
    as seen by the head, which places the highlights in the eyes.
    """
    heights = np.linspace(-20, 12, 1600)
    moved = heights - curves.jaw_drop(expression, heights)
    canvas = at_rest.lowered(lambda y: np.interp(y, moved, heights))
    lips = curves.mouth(traits, expression)
    for side in (curves.LEFTWARD, curves.RIGHTWARD):
        _paint_fold(canvas, traits, expression, lips, side)
        _paint_eye(canvas, hairs, traits, expression, curves.eye(traits, expression, side), light)
        _paint_brow(canvas, hairs, traits, expression, side)
    _paint_mouth(canvas, hairs, traits, expression, lips)
    return canvas


def _paint_fold(
    canvas: Canvas, traits: Traits, expression: Expression, lips: curves.Mouth, side: int
) -> None:
    """Raise the cheek of a smile and draw the fold from the nose to the corner of the mouth."""
    smile = max(expression.smile, 0.0)
    if smile:
        canvas.mound(side * 3.9, -3.5, 1.3, 1.0, 0.5 * smile)
    left, right = sorted((side * 0.6, side * 5.2))
    window = canvas.window(left, right, traits.mouth_height - 1.6, traits.nose_height + 1.8)
    start = np.array([side * (traits.nose_width + 0.45), traits.nose_height + 0.55])
    end = np.array([side * (lips.half_width + 0.6), traits.mouth_height + 0.35 * expression.smile - 0.2])
    run = (end - start).astype(np.float32)
    part = np.clip(((window.x - start[0]) * run[0] + (window.y - start[1]) * run[1]) / (run @ run), 0, 1)
    distance = np.hypot(window.x - start[0] - part * run[0], window.y - start[1] - part * run[1])
    groove = bell(distance, 0.3) * (0.15 + 0.85 * np.sin(np.pi * np.clip(part, 0.05, 0.9)))
    worn = 0.03 + 0.28 * traits.age**1.5
    window.bump -= (worn + 0.26 * smile) * groove
    darken(window.albedo, (0.6 * worn + 0.1 * smile) * groove, (0.8, 1, 1))


def _paint_brow(canvas: Canvas, hairs: Array, traits: Traits, expression: Expression, side: int) -> None:
    window = canvas.window(side * 3.2 - 3.1, side * 3.2 + 3.1, 0.5, 4.9)
    line = curves.brow(traits, expression)
    along = (window.x * side - traits.brow_inner) / (traits.brow_outer - traits.brow_inner)
    inside = np.clip(along, 0, 1)
    thickness = traits.brow_thickness * (0.55 + 0.75 * inside**0.5 - 1.05 * inside**2.2) + 0.05
    noise = 0.45 * hairs[window.where]
    distance = np.abs(window.y - line(np.clip(along, -0.1, 1.1))) / thickness
    coverage = step(1.25, 0.4, distance + 0.2 * noise) * step(-0.06, 0.08, along + 0.03 * noise)
    coverage = coverage * step(1.04, 0.88, along)
    blend(window.albedo, (0.6 + 0.28 * traits.masculine) * coverage * (1 + 0.3 * noise), traits.brows)
    window.bump += 0.06 * coverage
    window.gloss -= 0.15 * coverage


def _paint_eye(
    canvas: Canvas, hairs: Array, traits: Traits, expression: Expression, lids: curves.Eye, light: Array
) -> None:
    middle = lids.side * lids.middle
    window = canvas.window(middle - 2.5, middle + 2.5, -1.8, 1.9)
    along = (window.x * lids.side - lids.middle) / lids.half_width
    within = np.clip(along, -1, 1)
    upper, lower = lids.upper(within), lids.lower(within)
    if traits.lid_color is not None:
        color, share = traits.lid_color
        height = (window.y - upper) / (traits.lid_crease + 0.55)
        shadow = step(1.0, 0.35, height) * step(-0.3, 0.0, height) * step(1.35, 0.9, np.abs(along))
        blend(window.albedo, share * shadow, color)
    _shape_lids(window, traits, lids, along, upper, lower)
    soft = 0.045
    opening = step(-soft, soft, upper - window.y) * step(-soft, soft, window.y - lower)
    opening = opening * (np.abs(along) < 1) * step(0.02, 0.12, upper - lower)
    ball = _eyeball(window, traits, expression, lids, light, along, upper)
    blend(window.albedo, opening, ball)
    window.bump -= (0.13 * opening).astype(np.float32)
    window.gloss -= 0.7 * opening
    corner = np.exp(-((along + 0.98) ** 2 * 80 + ((window.y - float(lids.lower(-0.98))) / 0.1) ** 2))
    blend(window.albedo, 0.5 * corner, traits.skin * np.array([0.9, 0.52, 0.5], np.float32))
    thickness = 0.07 + 0.05 * lids.shut + (0.05 + 0.1 * traits.eye_liner) * step(-0.6, 0.9, along)
    distance = np.abs(window.y - upper - 0.02) / thickness
    blend(window.albedo, 0.9 * step(1, 0.3, distance) * step(1.12, 0.98, np.abs(along)), _LASHES)
    if lids.shut:
        # The lashes of a shut eye lie on the cheek.
        fringe = step(0.42, 0.05, upper - window.y) * step(-0.1, 0.05, upper - window.y)
        fringe = fringe * np.clip(0.6 + 0.35 * hairs[window.where], 0, 1) * step(1.05, 0.9, np.abs(along))
        blend(window.albedo, 0.75 * lids.shut**4 * fringe, _LASHES)
    lashes = step(0.07, 0.02, np.abs(window.y - lower)) * step(1.03, 0.8, np.abs(along))
    blend(window.albedo, 0.4 * (1 - lids.shut) * lashes, traits.skin * np.float32(0.22))


def _shape_lids(
    window: Window, traits: Traits, lids: curves.Eye, along: Array, upper: Array, lower: Array
) -> None:
    reach = lids.half_width + 0.6
    radius = ((window.x - lids.side * lids.middle) ** 2 + (1.12 * window.y) ** 2) / (reach * reach)
    dome = np.clip(1 - radius, 0, 1)
    window.bump += 0.85 * dome**1.15 * step(0, 0.8, dome)
    darken(window.albedo, (0.14 + 0.14 * lids.shut) * step(0, 0.5, dome), (0.8, 1, 0.95))
    within = np.clip(along, -1, 1)
    # A shut lid is smooth.
    folded = 1 - 0.75 * lids.shut
    crease = bell(window.y - upper - traits.lid_crease - 0.12 * within, 0.09) * step(1.25, 0.8, np.abs(along))
    crease = crease * folded
    window.bump -= 0.12 * crease
    darken(window.albedo, 0.34 * crease, (0.85, 1, 1))
    bag = bell(window.y - lower + 0.42, 0.12) * step(1.1, 0.6, np.abs(along)) * folded
    darken(window.albedo, (0.05 + 0.2 * traits.age) * bag)
    window.bump -= 0.1 * traits.age * bag


def _eyeball(
    window: Window,
    traits: Traits,
    expression: Expression,
    lids: curves.Eye,
    light: Array,
    along: Array,
    upper: Array,
) -> Color:
    """Return the colours of white, iris and pupil under the shadow of the upper lid."""
    radius = 0.6
    x = lids.side * lids.middle + 0.48 * expression.gaze_x
    y = 0.06 + 0.28 * expression.gaze_y
    distance = np.hypot(window.x - x, window.y - y)
    white = 1 - 0.42 * np.clip(np.abs(along), 0, 1) ** 3 * np.ones_like(distance)
    ball = white[..., None] * _SCLERA * np.array([1, 0.94, 0.93], np.float32)
    angle = np.arctan2(window.y - y, window.x - x)
    fibres = 1 + 0.2 * np.sin(23 * angle + 5 * np.sin(7 * angle)) + 0.5 * step(0.5, 0.25, distance)
    blend(ball, step(radius + 0.04, radius - 0.05, distance), traits.iris * fibres[..., None])
    blend(ball, 0.7 * bell(distance - radius + 0.02, 0.09), traits.iris * np.float32(0.15))
    blend(ball, step(0.27, 0.22, distance), _BLACK)
    ball *= (1 - 0.6 * np.exp(-np.clip(upper - window.y, 0, 9) / 0.2))[..., None]
    spark = np.hypot(window.x - x - 0.28 * light[0], window.y - y - 0.2 * light[1] - 0.06)
    blend(ball, 0.9 * step(0.15, 0.07, spark), (0.95, 0.95, 0.95))
    return ball


def _paint_mouth(
    canvas: Canvas, hairs: Array, traits: Traits, expression: Expression, lips: curves.Mouth
) -> None:
    height = traits.mouth_height
    reach = lips.half_width + 0.7
    bottom = height - 1.8 - traits.lower_lip - 2.3 * expression.open
    window = canvas.window(-reach, reach, bottom, height + 1.9)
    along = window.x / lips.half_width
    within = np.clip(along, -1, 1)
    upper, lower = lips.upper_inner(within), lips.lower_inner(within)
    upper_edge, lower_edge = lips.upper_outer(within), lips.lower_outer(within)
    ends = step(1.0, 0.97, np.abs(along))
    soft = 0.07
    upper_lip = step(-soft, soft, upper_edge - window.y) * step(-soft, soft, window.y - upper) * ends
    lower_lip = step(-soft, soft, lower - window.y) * step(-soft, soft, window.y - lower_edge) * ends
    inside = step(-0.04, 0.04, upper - window.y) * step(-0.04, 0.04, window.y - lower) * ends
    inside = inside * step(0.02, 0.15, upper - lower)
    wrinkles = 1 + 0.035 * hairs[window.where]
    blend(window.albedo, 0.9 * upper_lip, traits.lips * (0.72 * wrinkles)[..., None])
    blend(window.albedo, 0.9 * lower_lip, traits.lips * wrinkles[..., None])
    blend(window.albedo, inside, _cavity(window, expression, lips, along, upper, lower))
    line = bell(window.y - upper, 0.1) * step(1.05, 0.9, np.abs(along)) * (1 - 0.5 * inside)
    blend(window.albedo, 0.85 * line, traits.lips * np.float32(0.06))
    for side in (-1, 1):
        corner = ((window.x - side * lips.half_width) / 0.22) ** 2
        corner = corner + ((window.y - float(lips.upper_inner(1.0))) / 0.16) ** 2
        darken(window.albedo, 0.4 * np.exp(-corner))
    shadow = bell(window.y - lower_edge + 0.3, 0.22) * step(0.9, 0.3, np.abs(along))
    darken(window.albedo, 0.12 * shadow)
    density = canvas.density
    window.bump += 0.34 * soften(upper_lip, 0.16 * density) + 0.5 * soften(lower_lip, 0.2 * density)
    window.bump -= 0.22 * line + 0.4 * soften(inside, 0.06 * density)
    window.gloss += 0.4 * lower_lip + 0.2 * upper_lip - 0.8 * inside


def _cavity(
    window: Window, expression: Expression, lips: curves.Mouth, along: Array, upper: Array, lower: Array
) -> Color:
    """Return the colours of throat, tongue and teeth."""
    depth = upper - window.y
    cavity = (0.35 + 0.65 * step(0, 0.9, np.minimum(depth, window.y - lower)))[..., None] * _THROAT
    tongue = np.hypot(window.x / (0.55 * lips.half_width), (window.y - lower - 0.1) / 0.75)
    blend(cavity, 0.8 * step(0.5, 0.1, tongue - 0.6), _TONGUE)
    # Parted lips show a dark gap under the teeth; a smile bares them further.
    gap = 2.3 * expression.open
    shown = min(0.75, gap * (0.38 + 0.25 * max(expression.smile, 0.0)))
    teeth = step(-0.06, 0.06, shown - depth) * step(0.92, 0.75, np.abs(along))
    position = np.abs(((window.x + 0.42) / 0.84) % 1 - 0.5)
    gaps = 1 - 0.25 * bell(position - 0.5, 0.05)
    brightness = gaps * (1 - 0.35 * along * along) * (0.65 + 0.35 * step(0, 0.3, depth))
    blend(cavity, teeth, _TEETH * brightness[..., None])
    return cavity
