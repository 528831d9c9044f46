"""Training data in memory: crops of every identity with their weight maps, and batches drawn from them."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceSetError
from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.model.presets import Preset
from faceswap.model.training.face_weights import Seen, face_level, hidden_side, weight_map
from faceswap.model.training.more_views import MoreViews
from faceswap.model.training.pairs.draws import NOBODY, BatchDraws, draw_batch, of_pair
from faceswap.model.training.pairs.host_pairs import Array, PairMaker

MIN_FACES = 8
"""Faces of an identity below which no training begins; not measured."""
LEAST_MARGIN = 0.05
"""Face heights that a stored crop shows beyond the network's on each side at least, since crops are turned and moved;
the default, 0.175, is what the presets' rotation, zoom and shift can ask for at a corner."""
LEAST_DETAIL = 0.75
"""Side of what a face set stores against the side that is generated: below, the network would learn to blur."""


Batch = tuple[Array, dict[str, Array]]


class Faces(Protocol):
    """What training needs of a face set."""

    @property
    def geometry(self) -> Geometry:
        """Of the crops."""

    def images(self, split: str | None = None) -> NDArray[np.uint8]:
        """(n, S, S, 3) uint8 RGB crops with margin."""

    def landmarks(self, split: str | None = None) -> Points:
        """(n, 68, 2) in the crops' own pixels."""


class Batches(Protocol):
    """What a training draws from: :class:`TrainingData`, or fictional people."""

    preset: Preset
    heldout: dict[str, NDArray[np.uint8]]
    views: dict[str, MoreViews]
    """What each identity is learnt from besides its pictures."""

    @property
    def identities(self) -> tuple[str, ...]:
        """One per decoder."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every face is drawn once on average."""

    def batch(self, seed: int, step: int, progress: float) -> Batch:
        """The batch of a step; see :meth:`TrainingData.batch`."""


def check_crops(identity: str, stored: Geometry, preset: Preset) -> None:
    """Make sure that the crops of a face set show all that a preset generates.

    Raises:
        FaceSetError: they show less than the network, or at much fewer pixels.
    """
    if stored.margin_over(preset.geometry) < LEAST_MARGIN:
        raise FaceSetError(
            f"The crops of the face set of {identity!r} (coverage {stored.coverage:g}, centre {stored.centre:g} face "
            f"heights) do not reach beyond those of preset {preset.name!r} (coverage {preset.coverage:g}, centre "
            f"{preset.centre:g}): face sets of before show no whole faces",
            f"make it anew from its media: `faceswap preprocess PATH… --name {identity} --consent …`; with --coverage, "
            f"give at least {preset.coverage + 2 * LEAST_MARGIN:g}",
        )
    shown = round(stored.unit * preset.coverage)
    if shown < LEAST_DETAIL * preset.size:
        raise FaceSetError(
            f"The face set of {identity!r} stores {shown} px where preset {preset.name!r} generates {preset.size}",
            "preprocess again with larger crops: --size "
            f"{32 * math.ceil(preset.geometry.unit * stored.coverage / 32)}",
        )


class TrainingData:
    """Crops of all identities of a run, prepared once, from which every batch is drawn.

    Args:
        face_sets: identity -> its face set.
        preset: the network's geometry, the batch size, the augmentation, the weights.
        seen: finds what lies over the faces, where the preset's weights ask for it.

    Raises:
        FaceSetError: fewer than 8 training faces of an identity, or a set that shows less than the network,
            or at much fewer pixels.
    """

    def __init__(self, face_sets: Mapping[str, Faces], preset: Preset, seen: Seen | None = None) -> None:
        self.preset = preset
        self.identities = tuple(face_sets)
        self.train: dict[str, NDArray[np.uint8]] = {}
        self.heldout: dict[str, NDArray[np.uint8]] = {}
        self.landmarks: dict[str, Points] = {}
        self.makers: dict[str, PairMaker] = {}
        self.views: dict[str, MoreViews] = {}
        for identity, faces in face_sets.items():
            check_crops(identity, faces.geometry, preset)
            maker = PairMaker(faces.geometry, preset.geometry, preset.augmentation, face_level(preset.loss))
            marks = faces.landmarks("train")
            if len(marks) < MIN_FACES:
                raise FaceSetError(
                    f"The face set of {identity!r} has {len(marks)} training faces, at least {MIN_FACES} are needed",
                    "add pictures or video of this person, or loosen the quality filters",
                )
            images, geometry = maker.prepare(faces.images("train")), maker.source
            marks = apply(geometry.from_crop(faces.geometry), marks.reshape(-1, 2)).reshape(marks.shape)
            found = seen(images, marks) if seen and preset.loss.covered < 1 else None
            hidden = None if found is None else hidden_side(marks, geometry, found)
            if found is not None and hidden is not None:
                found = np.where(hidden, 0, found)
            shares = [None] * len(marks) if found is None else found
            maps = [weight_map(m, geometry, preset.loss, s) for m, s in zip(marks, shares, strict=True)]
            crops = np.concatenate([images, np.stack(maps)[..., None]], axis=-1)
            views = MoreViews() if found is None else MoreViews.needed(marks, geometry, hidden)
            self.views[identity] = views
            crops, marks = views.added_to(crops, marks, geometry)
            self.train[identity] = crops
            self.landmarks[identity] = maker.plain_landmarks(marks, geometry)
            held = maker.prepare(faces.images("heldout"))
            self.heldout[identity] = np.stack([maker.plain(c) for c in held]) if len(held) else held
            self.makers[identity] = maker

    @property
    def size(self) -> int:
        """Training faces of all identities together."""
        return sum(len(crops) for crops in self.train.values())

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which the largest identity's faces are drawn once on average."""
        return max(1, round(max(map(len, self.train.values())) / self.preset.batch_size))

    def batch(self, seed: int, step: int, progress: float) -> Batch:
        """The batch of a step: it depends on nothing else, so that a resumed run sees the same batches.

        Returns:
            inputs (N, n, s, s, 3), and by name the targets: ``picture`` with weights (N, n, s, s, 4), both
            float32 in 0..1, and ``shape`` (N, n, 51, 2), landmark offsets in sides of the crop.
        """
        draws = self.draws(seed, step)
        size, count = self.preset.size, self.preset.batch_size
        x = np.empty((len(self.identities), count, size, size, 3), np.float32)
        y = np.empty((len(self.identities), count, size, size, 4), np.float32)
        shape = np.empty((len(self.identities), count, 51, 2), np.float32)
        warp = self.preset.augmentation.warp_at(progress, step)
        for i, identity in enumerate(self.identities):
            crops, marks, maker = self.train[identity], self.landmarks[identity], self.makers[identity]
            neutral = marks.mean(axis=0)
            for j, chosen in enumerate(draws.face[i]):
                around = self._plain(draws.other[i, j], draws.other_face[i, j])
                x[i, j], y[i, j], shape[i, j] = maker.pair(
                    crops[chosen], marks[chosen], neutral, of_pair(draws.pairs, i, j), warp, around
                )
        return x, {"picture": y, "shape": shape}

    def draws(self, seed: int, step: int) -> BatchDraws:
        """The random numbers of a step's batch."""
        faces = [len(crops) for crops in self.train.values()]
        return draw_batch(seed, step, faces, self.preset.batch_size, self.preset.augmentation)

    def _plain(self, other: int, face: int) -> NDArray[np.uint8] | None:
        """The network's crop of a face of another identity, whose surroundings an input gets; None: of nobody."""
        if other == NOBODY:
            return None
        identity = self.identities[other]
        return self.makers[identity].plain(self.train[identity][face][..., :3])


class Feeder:
    """Prepares the coming batches in threads, in order (OpenCV releases the GIL).

    Args:
        data: where batches come from.
        seed: of the run.
        ahead: batches that are kept ready.
        threads: that prepare them.
    """

    def __init__(self, data: Batches, seed: int, ahead: int = 4, threads: int = 2) -> None:
        self.data, self.seed, self.ahead = data, seed, ahead
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pairs")
        self._futures: dict[int, Future[Batch]] = {}

    def get(self, step: int, progress: Sequence[float]) -> Batch:
        """The batch of ``step``; ``progress`` holds the budget's share at this and the coming steps."""
        for offset, share in enumerate(progress):
            coming = step + offset
            if coming not in self._futures:
                self._futures[coming] = self._pool.submit(self.data.batch, self.seed, coming, share)
        for old in [s for s in self._futures if s < step]:
            self._futures.pop(old).cancel()
        return self._futures.pop(step).result()

    def restart(self) -> None:
        """Forget what is prepared (after a roll-back)."""
        for future in self._futures.values():
            future.cancel()
        self._futures.clear()

    def close(self) -> None:
        """Stop the threads."""
        self.restart()
        self._pool.shutdown(wait=False, cancel_futures=True)
