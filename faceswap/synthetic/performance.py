"""A talking head's performance: scenes that follow each other smoothly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from faceswap.synthetic.canvas import step
from faceswap.synthetic.scene import Expression, Light, Pose, Scene, lamp_direction, random_background

_BLINK = 0.15
"""Length of a blink in seconds."""


@dataclass(frozen=True)
class _Wave:
    """A slow random motion within -1 .. 1: sines of incommensurable frequencies."""

    weights: tuple[float, ...]
    frequencies: tuple[float, ...]
    phases: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, slowest: float, fastest: float, count: int = 3) -> "_Wave":
        """Draw a wave whose frequencies (Hz) lie in the given bounds; slow parts are the strongest."""
        frequencies = np.sort(rng.uniform(slowest, fastest, count))
        weights = 1 / frequencies
        weights /= weights.sum()
        phases = rng.uniform(0, 2 * np.pi, count)
        return cls(tuple(weights.tolist()), tuple(frequencies.tolist()), tuple(phases.tolist()))

    def at(self, time: float) -> float:
        """Return the value at a time in seconds."""
        parts = zip(self.weights, self.frequencies, self.phases, strict=True)
        return float(sum(weight * np.sin(2 * np.pi * rate * time + phase) for weight, rate, phase in parts))


def _blinks(rng: np.random.Generator, seconds: float) -> list[float]:
    """Return the middles of the blinks, two to five seconds apart."""
    times = [float(rng.uniform(0.6, 2.5))]
    while times[-1] < seconds:
        times.append(times[-1] + float(rng.uniform(2.0, 5.0)))
    return times


def _phrases(rng: np.random.Generator, seconds: float) -> list[tuple[float, float]]:
    """Return when speech starts and ends: phrases of one to three seconds with short pauses between."""
    spans = []
    start = float(rng.uniform(0.1, 0.4))
    while start < seconds:
        end = start + float(rng.uniform(1.0, 3.0))
        spans.append((start, end))
        start = end + float(rng.uniform(0.35, 0.9))
    return spans


def _speech(phrases: list[tuple[float, float]], time: float) -> float:
    """Return 1 while speaking, 0 in pauses, smoothly."""
    return max((float(step(a, a + 0.15, time) * step(b, b - 0.15, time)) for a, b in phrases), default=0.0)


def _lids(blinks: list[float], time: float) -> float:
    nearest = min(abs(time - blink) for blink in blinks)
    # The lids are shut for the middle third of the blink.
    return float(step(0.5 * _BLINK, 0.17 * _BLINK, nearest))


def clip(
    seed: int,
    seconds: float,
    fps: float = 25.0,
    max_yaw: float = 25.0,
    max_pitch: float = 12.0,
    max_roll: float = 10.0,
    light: Light | None = None,
) -> Iterator[Scene]:
    """Yield the scenes of a performance: speech at 3 to 5 syllables a second, smiles, blinks, a moving head.

    The performance depends on ``seed`` and ``seconds`` alone: another ``fps`` shows the same at other
    times. Angles (degrees) stay within the bounds; the background is constant and the lamp wanders slowly,
    unless a ``light`` is given, which stands still.
    """
    if seconds <= 0 or fps <= 0:
        raise ValueError(f"a clip needs a positive length and frame rate, not {seconds:g} s at {fps:g} fps")
    return _scenes(np.random.default_rng(seed), seconds, fps, (max_yaw, max_pitch, max_roll), light)


def _scenes(
    rng: np.random.Generator,
    seconds: float,
    fps: float,
    bounds: tuple[float, float, float],
    fixed_light: Light | None,
) -> Iterator[Scene]:
    background = random_background(rng)
    color = (1.0, float(rng.uniform(0.9, 1.0)), float(rng.uniform(0.8, 1.03)))
    power, ambient = float(rng.uniform(0.9, 1.15)), float(rng.uniform(0.42, 0.6))
    side, height = float(rng.uniform(-30, 30)), float(rng.uniform(15, 35))
    phrases, blinks = _phrases(rng, seconds), _blinks(rng, seconds)
    yaw, pitch, roll = (_Wave.draw(rng, 0.06, 0.4) for _ in range(3))
    smile, brow, loudness = _Wave.draw(rng, 0.05, 0.3), _Wave.draw(rng, 0.15, 0.5), _Wave.draw(rng, 0.3, 1.5)
    gaze_x, gaze_y = _Wave.draw(rng, 0.1, 0.6), _Wave.draw(rng, 0.1, 0.6)
    lamp_side, lamp_height = _Wave.draw(rng, 0.02, 0.08), _Wave.draw(rng, 0.02, 0.08)
    # The syllables' rate swings about 4 Hz; this is the phase its integral gives.
    swing, drift = float(rng.uniform(0.2, 0.4)), float(rng.uniform(0, 2 * np.pi))
    for index in range(round(seconds * fps)):
        time = index / fps
        turns = 4 * time + np.sin(2 * np.pi * swing * time + drift) / (2 * np.pi * swing) * 0.9
        syllable = 0.5 - 0.5 * np.cos(2 * np.pi * turns)
        voice = _speech(phrases, time) * (0.55 + 0.4 * loudness.at(time))
        shut = _lids(blinks, time)
        expression = Expression(
            open=float(np.clip(voice * (0.12 + 0.88 * syllable), 0, 1)),
            smile=float(np.clip(0.3 + 0.75 * smile.at(time), -0.4, 1)),
            brow=float(np.clip(0.15 + 0.9 * brow.at(time), -0.8, 1)),
            close_left=shut,
            close_right=shut,
            gaze_x=gaze_x.at(time),
            gaze_y=0.7 * gaze_y.at(time),
        )
        direction = lamp_direction(side + 20 * lamp_side.at(time), height + 10 * lamp_height.at(time))
        yield Scene(
            expression=expression,
            pose=Pose(
                *(bound * wave.at(time) for bound, wave in zip(bounds, (yaw, pitch, roll), strict=True))
            ),
            light=fixed_light or Light(direction, power, ambient, color),
            background=background,
        )
