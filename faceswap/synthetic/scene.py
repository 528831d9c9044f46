"""What a picture shows besides the person: expression, pose, light, background, framing."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, radians, sin

import numpy as np


def _check(owner: str, **ranges: tuple[float, float, float]) -> None:
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise ValueError(f"{owner}.{name} is {value:g}; it must lie in {low:g} .. {high:g}")


def _check_three(owner: str, name: str, values: Sequence[float]) -> None:
    if len(values) != 3:
        raise ValueError(f"{owner}.{name} needs three numbers, not {len(values)}")


@dataclass(frozen=True)
class Expression:
    """What the face does. Left and right are the person's own, so the left eye has landmarks 42 .. 47."""

    open: float = 0.0
    """0 the lips touch .. 1 the jaw is dropped by 2.2 cm."""
    smile: float = 0.0
    """-0.5 the corners of the mouth hang .. 0 neutral .. 1 a wide smile."""
    brow: float = 0.0
    """-1 a frown .. 0 neutral .. 1 raised."""
    close_left: float = 0.0
    """0 the left eye is open .. 1 shut."""
    close_right: float = 0.0
    """0 the right eye is open .. 1 shut."""
    gaze_x: float = 0.0
    """-1 towards the left edge of the picture .. 1 towards the right edge."""
    gaze_y: float = 0.0
    """-1 down .. 1 up."""

    def __post_init__(self) -> None:
        _check(
            "Expression",
            open=(self.open, 0, 1),
            smile=(self.smile, -0.5, 1),
            brow=(self.brow, -1, 1),
            close_left=(self.close_left, 0, 1),
            close_right=(self.close_right, 0, 1),
            gaze_x=(self.gaze_x, -1, 1),
            gaze_y=(self.gaze_y, -1, 1),
        )


@dataclass(frozen=True)
class Pose:
    """How the head is turned, in degrees; the rotations apply in the order yaw, pitch, roll."""

    yaw: float = 0.0
    """Positive turns the nose towards the right edge of the picture; -85 .. 85."""
    pitch: float = 0.0
    """Positive looks down; -40 .. 40."""
    roll: float = 0.0
    """Positive tilts the head anticlockwise in the picture; -180 .. 180."""

    def __post_init__(self) -> None:
        _check(
            "Pose",
            yaw=(self.yaw, -85, 85),
            pitch=(self.pitch, -40, 40),
            roll=(self.roll, -180, 180),
        )


@dataclass(frozen=True)
class Light:
    """One distant lamp and a little light from everywhere."""

    direction: tuple[float, float, float] = (-0.35, 0.45, 0.85)
    """Towards the lamp: x to the right, y up, z to the viewer; any length but zero."""
    power: float = 1.0
    """Strength of the lamp, 0 .. 3."""
    ambient: float = 0.45
    """Strength of the light from everywhere, 0 .. 2."""
    color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Red, green and blue of the lamp, linear, each 0 .. 2."""

    def __post_init__(self) -> None:
        _check_three("Light", "direction", self.direction)
        _check_three("Light", "color", self.color)
        if hypot(*self.direction) < 1e-6:
            raise ValueError("Light.direction must not be zero")
        _check("Light", power=(self.power, 0, 3), ambient=(self.ambient, 0, 2))
        for value in self.color:
            _check("Light", color=(value, 0, 2))


@dataclass(frozen=True)
class Background:
    """An even colour with soft, out-of-focus blotches; its seed also draws the sensor noise."""

    color: tuple[float, float, float] = (120.0, 130.0, 140.0)
    """Red, green and blue in sRGB, 0 .. 255."""
    noise: float = 0.3
    """Contrast of the blotches, 0 .. 1."""
    seed: int = 0
    """Which blotches; at least 0."""

    def __post_init__(self) -> None:
        _check_three("Background", "color", self.color)
        for value in self.color:
            _check("Background", color=(value, 0, 255))
        _check("Background", noise=(self.noise, 0, 1))
        if self.seed < 0:
            raise ValueError(f"Background.seed is {self.seed}; it must be at least 0")


@dataclass(frozen=True)
class Scene:
    """All of a picture that is not the person."""

    expression: Expression = Expression()
    pose: Pose = Pose()
    light: Light = Light()
    background: Background = Background()
    zoom: float = 1.0
    """Scale about the middle of the frame, 0.2 .. 4; at 1 a head is about 3/4 of the frame high."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Move of the person to the right and down, in parts of the frame, -1 .. 1."""

    def __post_init__(self) -> None:
        _check("Scene", zoom=(self.zoom, 0.2, 4))
        if len(self.shift) != 2:
            raise ValueError(f"Scene.shift needs two numbers, not {len(self.shift)}")
        for value in self.shift:
            _check("Scene", shift=(value, -1, 1))


def lamp_direction(azimuth: float, elevation: float) -> tuple[float, float, float]:
    """Return the unit vector towards a lamp; degrees, 0, 0 is beside the camera, positive right and up."""
    across, up = radians(azimuth), radians(elevation)
    return (sin(across) * cos(up), sin(up), cos(across) * cos(up))


def random_background(rng: np.random.Generator) -> Background:
    """Draw a muted colour, neither near black nor near white: saturated ones look like nothing real."""
    level = rng.uniform(75, 175)
    tint = rng.uniform(-28, 28, 3)
    red, green, blue = (float(value) for value in level + tint - tint.mean())
    return Background((red, green, blue), float(rng.uniform(0.1, 0.6)), int(rng.integers(1 << 30)))


def random_light(rng: np.random.Generator) -> Light:
    """Draw a light under which every skin tone stays readable: never without a fair amount of fill."""
    direction = lamp_direction(rng.uniform(-55, 55), rng.uniform(-5, 50))
    color = (1.0, float(rng.uniform(0.88, 1.0)), float(rng.uniform(0.76, 1.05)))
    return Light(direction, float(rng.uniform(0.85, 1.2)), float(rng.uniform(0.4, 0.65)), color)


def side_light(rng: np.random.Generator) -> Light:
    """Draw a warm or cool lamp from a side, with little fill: one cheek is twice as bright as the other."""
    side = float(rng.choice([-1, 1]))
    direction = lamp_direction(side * rng.uniform(50, 80), rng.uniform(0, 30))
    warm = float(rng.uniform(0, 1))
    color = (1.0, 0.95 - 0.2 * warm, 1.0 - 0.5 * warm)
    return Light(direction, float(rng.uniform(1.2, 1.6)), float(rng.uniform(0.26, 0.38)), color)


def random_expression(rng: np.random.Generator) -> Expression:
    """Draw an expression; the mouth is shut in a third of them, one or both eyes in a few."""
    left = right = float(0.6 * rng.random() ** 2)
    blink = rng.random()
    if blink < 0.08:
        left = right = 1.0
    elif blink < 0.1:
        left = 1.0
    elif blink < 0.12:
        right = 1.0
    return Expression(
        open=float(max(0.0, rng.uniform(-0.5, 1))),
        smile=float(rng.uniform(-0.3, 1)),
        brow=float(rng.uniform(-0.6, 1)),
        close_left=left,
        close_right=right,
        gaze_x=float(rng.uniform(-1, 1)),
        gaze_y=float(rng.uniform(-1, 1)),
    )


def random_scene(
    rng: np.random.Generator, max_yaw: float = 30.0, max_pitch: float = 15.0, max_roll: float = 15.0
) -> Scene:
    """Draw a scene from ``rng``; the angles are uniform within the given bounds, in degrees."""
    return Scene(
        expression=random_expression(rng),
        pose=Pose(
            float(rng.uniform(-max_yaw, max_yaw)),
            float(rng.uniform(-max_pitch, max_pitch)),
            float(rng.uniform(-max_roll, max_roll)),
        ),
        light=random_light(rng),
        background=random_background(rng),
        zoom=float(rng.uniform(0.94, 1.06)),
        shift=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.03, 0.03))),
    )
