"""An eye between its corners: where its lids' edges and its iris lie, by the iris's network and by the landmarks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from faceswap.faces.finding.mediapipe.mesh import Eye
from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import EYE_LOWER_LID, EYE_UPPER_LID
from faceswap.faces.regions import curve
from faceswap.faces.smoothing import rise
from faceswap.swap.openings.axes import Axis, Floats, edge


@dataclass(frozen=True)
class EyeOpeningTuning:
    """Constants of reading eyes; by eye on a, b, e and g."""

    misread: tuple[float, float] = (1.15, 1.45)
    """Opening by the landmarks over that by the iris's network, from which on the landmarks begin to count, and from
    which on they alone do: in a blurred eye that network takes the iris for the lid. (Landmarks alone take an eye that
    looks down for shut.)"""
    read_every: float = 0.06
    """Seconds of video after which a swap's eyes are read anew, every other frame of 25 to 30 a second: meanwhile they
    move with the face,"""
    still: float = 0.08
    """unless a landmark of theirs moved so far, in halves of the eye's width."""


TUNING = EyeOpeningTuning()

_LOWER, _UPPER = [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 9, 10, 11, 12, 13, 14, 15, 8]
"""The lids among the points of an eye's contour, from the outer corner to the inner one."""
_PLACES = np.linspace(-1, 1, 41)
_LOWER_MIDDLE, _UPPER_MIDDLE = slice(3, 6), slice(11, 14)


@dataclass(frozen=True, eq=False)
class ReadEye:
    """An eye as it was read, for the next frame: all in coordinates of its axis.

    Attributes:
        time: of the frame, seconds.
        marks: (6, 2) its landmarks.
        eye: as the iris's network reads it.
    """

    time: float
    marks: Points
    eye: Eye

    @classmethod
    def after(
        cls, before: "ReadEye | None", axis: Axis, marks: Points, time: float, read: Callable[[], Eye]
    ) -> "ReadEye":
        """That of the frame before, if it can serve, else what ``read`` gives in px; ``marks`` are px, too."""
        local = axis.of(marks)
        recent = before is not None and 0 < time - before.time < TUNING.read_every
        if before is not None and recent and np.abs(local - before.marks).max() < TUNING.still:
            return before
        found = read()
        return cls(time, local, Eye(axis.of(found.contour), axis.of(found.iris)))

    def placed(self, axis: Axis) -> Eye:
        """In px, where the axis lies now."""
        return Eye(axis.px(self.eye.contour), axis.px(self.eye.iris))


@dataclass(frozen=True, eq=False)
class EyeOpening:
    """One eye.

    Attributes:
        axis: from the corner on the picture's left to the other one.
        eye: as the iris's network reads it.
        marks: (6, 2) its landmarks, px.
        read: what the next frame needs; None: nothing.
        white: how clearly its white shows, 0..1.
    """

    axis: Axis
    eye: Eye
    marks: Points
    read: ReadEye | None = None
    white: float = 0.0

    @cached_property
    def openness(self) -> float:
        """Height over width."""
        by_network, by_marks = self._heights
        return by_network + self._share_of_marks * (by_marks - by_network)

    def lids(self, along: Floats) -> tuple[Floats, Floats]:
        """How far down from the axis the upper and the lower lid's edge lie, at places along it."""
        upper, lower = (np.interp(along, _PLACES, edge) for edge in self._edges)
        return upper, lower

    @cached_property
    def _edges(self) -> tuple[Floats, Floats]:
        """The upper and the lower edge at places along the axis."""
        share = self._share_of_marks
        upper, lower = (edge(self.axis, self.eye.contour[points], _PLACES) for points in (_UPPER, _LOWER))
        if share:
            local = self.axis.of(self.marks)
            marks = [curve(local[lid, 0], local[lid, 1], _PLACES) for lid in (EYE_UPPER_LID, EYE_LOWER_LID)]
            upper, lower = (
                one + share * (by_marks - one) for one, by_marks in zip((upper, lower), marks, strict=True)
            )
        return upper, lower

    def by_network(self, share: float) -> "EyeOpening":
        """The same eye, with its corners moved to where the iris's network reads them: 0 not at all, 1 wholly."""
        ends = self.eye.contour[[0, 8]]
        ends = ends[np.argsort(self.axis.of(ends)[:, 0])]
        own = self.axis.px(np.array([(-1.0, 0.0), (1.0, 0.0)]))
        return replace(self, axis=Axis.between(*(own + share * (ends - own))))

    @property
    def doubt(self) -> float:
        """How far the network and the landmarks disagree on the corners, in halves of the eye's width."""
        ends = self.axis.of(self.eye.contour[[0, 8]])[:, 0]
        marks = self.axis.of(self.marks[[0, 3]])[:, 0]
        return float(np.abs(np.sort(ends) - marks).max())

    @property
    def iris(self) -> tuple[Points, float]:
        """Its centre (2,) and radius, px."""
        centre = self.eye.iris[0]
        return centre, max(float(np.linalg.norm(self.eye.iris[1:] - centre, axis=1).mean()), 1e-3)

    @cached_property
    def _heights(self) -> tuple[float, float]:
        """Height over width by the network and by the landmarks."""
        rows, marks = self.axis.of(self.eye.contour)[:, 1], self.axis.of(self.marks)[:, 1]
        by_network = rows[_LOWER_MIDDLE].mean() - rows[_UPPER_MIDDLE].mean()
        by_marks = marks[[5, 4]].mean() - marks[[1, 2]].mean()
        return float(by_network) / 2, float(by_marks) / 2

    @cached_property
    def _share_of_marks(self) -> float:
        by_network, by_marks = self._heights
        return float(rise(by_marks / max(by_network, 1e-3), TUNING.misread))
