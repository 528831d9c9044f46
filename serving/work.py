"""What the app does, without the app: find faces, swap, measure. Safe to call from many threads."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import MediaTooLarge
from faceswap.evaluation.single import SwapMeasures, mean_of, measure_swap, measure_video
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.faces.tracking.search import FaceSearch
from faceswap.media.images import encoded, read_image, write_picture
from faceswap.media.pictures import read_picture
from faceswap.media.video.reading import Frame, VideoReader
from faceswap.process import memory
from faceswap.provenance.consent.target_consent import require_target_consent
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper, SwapResult
from faceswap.swap.video.stream import Progress, swap_video
from serving.catalogue import Catalogue, Served
from serving.face_selection import ALL, Found, frame_at, frame_of, only, require_a_swap, some
from serving.guard.limits import Limits
from serving.prometheus_metrics import counted
from serving.recent import Recent
from serving.results import records
from serving.results.outbox import Outbox
from serving.results.swapped import Swapped

__all__ = ["ALL", "Format", "Found", "Workshop"]

Image = NDArray[np.uint8]
Format = Literal["jpg", "png", "webp"]
Tell = Callable[[str], None]
_MOST_MEASURED = 3
_PICTURES, _FRAMES = 64, 4
"""Remembered: the faces of so many pictures; of so many videos a frame, which may have 30 MB."""
_LIVE_PIXELS = 1280 * 720


def silent(_: str) -> None:
    """Tells nobody."""


class Workshop:
    """Finds, swaps and measures with the versions of a catalogue.

    Args:
        catalogue: of versions.
        finder: detects and embeds; safe to use from several threads.
        outbox: where results go.
        limits: what is refused.
        options: of a swap that has none of its own.
        measurer: a finder that reads landmarks carefully, to measure with; None: the finder.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        finder: Finder,
        outbox: Outbox,
        limits: Limits,
        options: SwapOptions | None = None,
        measurer: Finder | None = None,
    ) -> None:
        self.measurer = measurer or finder
        self.catalogue, self.finder, self.outbox, self.limits = catalogue, finder, outbox, limits
        self.options = options or SwapOptions()
        self._seen: Recent[tuple[int, list[Face]]] = Recent(_PICTURES)
        self._frames: Recent[Found] = Recent(_FRAMES)

    def faces_of_picture(self, path: Path | None) -> Found:
        """The faces of a picture; found once and remembered.

        Raises:
            MediaError: it can't be used.
            NoFaceFound: it shows none.
        """
        path = self.limits.check_picture(path)
        return self._found(path, read_image(path))

    def _found(self, path: Path, image: Image) -> Found:
        """The faces of a picture (H, W, 3) as it was read from a file."""
        turn, faces = self._seen.get(path, lambda: find_upright(self.finder, image, effort="fine"))
        return Found(turned(image, turn), some(faces, f"in {path.name}"), turn)

    def faces_of_video(self, path: Path | None, second: float | None = None) -> Found:
        """The faces of one frame of a video; found once and remembered.

        Args:
            path: the video.
            second: of the frame; None: the frame that shows the most faces.

        Raises:
            MediaError: it can't be used.
            NoFaceFound: the frame, or none of the frames looked at, shows any.
        """
        self.limits.check_video(path)
        assert path is not None  # checked
        return self._frames.get(path, lambda: frame_of(path, self.finder, second), second)

    def seconds_of(self, path: Path | None) -> float:
        """The length of a video, s; 0 where the file does not tell.

        Raises:
            MediaError: it can't be used.
        """
        return self.limits.check_video(path).duration

    @memory.returned()
    @counted("picture")
    def picture(
        self,
        path: Path | None,
        identity: str,
        choice: str = "production",
        face: int = ALL,
        suffix: Format = "jpg",
        options: SwapOptions | None = None,
        tell: Tell = silent,
        target_consent: str = "",
    ) -> Swapped:
        """Swap one face of a picture, or all.

        Args:
            path: the target.
            identity, choice: the version, as for :meth:`Catalogue.get`.
            face: 1 is the largest; 0: all.
            suffix: of the result; jpg is written five times as fast as png.
            options: of this swap; None: the workshop's.
            tell: called with what is done next, in words.
            target_consent: who confirmed that the target may be edited.

        Raises:
            SettingsError: nobody is named who allows to edit the target, and the settings ask for that.
            MediaError: the picture can't be used.
            FaceError: there is no such face, or none that can be swapped.
            RegistryError, TrackingError: there is no such version.
        """
        require_target_consent(target_consent)
        began = time.perf_counter()
        tell("looking for faces")
        path = self.limits.check_picture(path)
        picture = read_picture(path, first_only=True)
        found = self._found(path, picture.stills[0].image)
        tell(self.catalogue.coming(identity, choice))
        served, options = self.catalogue.get(identity, choice), options or self.options
        tell("swapping")
        result = self._applied(found, served, face, options)
        out = self.outbox.place(f"{path.stem[:60]}-{identity}.{suffix}")
        record = records.origin(served, options, target_consent)
        lost = write_picture(out, picture, [result.image], metadata=record, target=path)
        records.log(served, out, target_consent)
        swapped = tuple(one.face for one in result.faces if one.skipped is None)
        seconds = time.perf_counter() - began
        remarks = (*picture.notes, *lost)
        return Swapped(
            "picture",
            path,
            out,
            served,
            options,
            swapped,
            seconds,
            turn=found.turn,
            remarks=remarks,
            link=self.outbox.link(out),
        )

    @memory.returned()
    @counted("video")
    def video(
        self,
        path: Path | None,
        identity: str,
        choice: str = "production",
        face: int = ALL,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        options: SwapOptions | None = None,
        second: float | None = None,
        tell: Tell = silent,
        target_consent: str = "",
    ) -> Swapped:
        """Swap one person of a video, or everybody.

        Args:
            face: of :meth:`faces_of_video`, 1 is the largest; 0: all.
            second: of the frame in which the face was chosen, as for :meth:`faces_of_video`.
            tell: called with what is done next, in words, before the first frame.
            progress, cancelled: as for :func:`faceswap.swap.video.stream.swap_video`.
            options: of this swap; None: the workshop's.
            target_consent: as for :meth:`picture`.

        Raises:
            as :meth:`picture`.
        """
        require_target_consent(target_consent)
        began = time.perf_counter()
        info = self.limits.check_video(path)
        assert path is not None  # checked
        tell(self.catalogue.coming(identity, choice))
        served, options = self.catalogue.get(identity, choice), options or self.options
        tell("looking for faces")
        match = self._embedding(path, face, second) if face != ALL else None
        out = self.outbox.place(f"{path.stem[:60]}-{identity}.mp4")
        record = records.origin(served, options, target_consent)
        # A recording of a browser does not tell its length: then it is the end that is cut.
        end = None if info.duration else self.limits.seconds
        try:
            report = swap_video(
                path,
                out,
                self._swapper(served, options, match),
                record,
                end=end,
                progress=progress,
                cancelled=cancelled,
            )
        except BaseException:
            self.outbox.discard(out)
            raise
        if report.cancelled:  # nobody could go on with its parts: each result has a place of its own
            self.outbox.discard(out)
        else:
            records.log(served, out, target_consent)
        seconds = time.perf_counter() - began
        link = "" if report.cancelled else self.outbox.link(out)
        return Swapped("video", path, out, served, options, (), seconds, report, match, link=link)

    def preview(
        self,
        path: Path | None,
        identity: str,
        choice: str = "production",
        face: int = ALL,
        options: SwapOptions | None = None,
        second: float | None = None,
        target_consent: str = "",
    ) -> tuple[Image, Path]:
        """One frame of a video, before and after.

        Args:
            as :meth:`video`.

        Returns:
            the frame of :meth:`faces_of_video`, (H, W, 3) uint8 RGB, and its labelled swap, a signed JPEG.

        Raises:
            as :meth:`picture`.
        """
        require_target_consent(target_consent)
        found = self.faces_of_video(path, second)
        served, options = self.catalogue.get(identity, choice), options or self.options
        after = self._applied(found, served, face, options).image
        return found.image, records.still(after, self.outbox, records.origin(served, options, target_consent))

    def measure(self, swapped: Swapped) -> SwapMeasures:
        """Measure a result: all swapped faces of a picture (at most three), five frames of a video.

        Raises:
            UnreadableMedia: the files are gone.
            NoFaceFound: the frames show no face.
        """
        reference = swapped.served.loaded.card.embedding()
        if swapped.kind == "video":
            swapper = self._swapper(swapped.served, swapped.options, swapped.match)
            return measure_video(swapped.target, swapped.result, swapper, reference, self.measurer)
        before, after = (turned(read_image(path), swapped.turn) for path in (swapped.target, swapped.result))
        faces = swapped.faces[:_MOST_MEASURED]
        return mean_of([measure_swap(before, after, face.box, reference, self.measurer) for face in faces])

    def live(
        self,
        frame: Image,
        identity: str,
        choice: str = "production",
        search: FaceSearch | None = None,
        options: SwapOptions | None = None,
        target_consent: str = "",
    ) -> tuple[bytes, FaceSearch]:
        """One frame of a camera: the labelled swap as a signed JPEG, and what finds the faces of the next frame.

        Faces are followed as on videos: somebody else who comes into view is noticed within half a second, who is
        small beside the first within two. A frame without a face comes back as it is, and unsigned.

        Args:
            frame: (H, W, 3) uint8 RGB, at most 1280 x 720.
            search: as the frame before gave it; None: this is the first one.
            options: of this swap; None: the workshop's.
            target_consent: as for :meth:`picture`.

        Raises:
            SettingsError: as for :meth:`picture`.
            MediaTooLarge: it is larger.
            RegistryError, TrackingError: there is no such version.
        """
        require_target_consent(target_consent)
        if frame.shape[0] * frame.shape[1] > _LIVE_PIXELS:
            raise MediaTooLarge("The camera's frames are larger than 1280 x 720", "choose a smaller format")
        served = self.catalogue.get(identity, choice)
        search = search or FaceSearch(self.finder)
        faces = search.faces(Frame(0, time.monotonic(), frame))
        options = options or self.options
        swapper = self._swapper(served, options)
        result = swapper.apply(frame, faces, quick=True)
        record = records.origin(served, options, target_consent) if result.swapped else None
        return encoded(swapper.marked(result), metadata=record), search

    def stills(self, swapped: Swapped, second: float | None = None) -> tuple[Image, Path]:
        """A frame of a video before, (H, W, 3) uint8 RGB, and after, a signed JPEG; else as :meth:`still`."""
        after, record = self.still(swapped.result, second), read_provenance(swapped.result)
        record = record or records.origin(swapped.served, swapped.options, "")
        return self.still(swapped.target, second), records.still(after, self.outbox, record)

    def still(self, video: Path, second: float | None = None) -> Image:
        """(H, W, 3) uint8 RGB, a frame of a video; of one that ends before that, the first.

        Args:
            video: the file.
            second: when it is shown; None: at a third of the length.

        Raises:
            UnreadableMedia: no frame can be read.
        """
        with VideoReader(video) as reader:
            return frame_at(reader, reader.info.duration / 3 if second is None else second).image

    def _swapper(
        self, served: Served, options: SwapOptions, match: NDArray[np.float64] | None = None
    ) -> Swapper:
        return Swapper(served.loaded.network, self.finder, options, match=match)

    def _applied(self, found: Found, served: Served, face: int, options: SwapOptions) -> SwapResult:
        """One face of what was found, or all, swapped; at least one is."""
        swapper = self._swapper(served, options)
        result = swapper.apply(found.image, found.faces, only(face, len(found.faces)), turn=found.turn)
        require_a_swap(result, options)
        return replace(result, image=swapper.marked(result))

    def _embedding(self, path: Path, face: int, second: float | None) -> NDArray[np.float64]:
        found = self.faces_of_video(path, second)
        only(face, len(found.faces))
        return self.finder.embed(found.image, found.faces[face - 1].landmarks)
