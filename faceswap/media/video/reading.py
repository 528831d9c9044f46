"""Video in, frame by frame in constant memory: upright RGB frames with their times.

Writing is in :mod:`faceswap.media.video.writing`; both are imported from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswap.errors import MediaTooLarge, UnreadableMedia
from faceswap.media.video.colours import to_bt709
from faceswap.media.video.containers import first_moment, open_media, pictures, sound_tracks
from faceswap.media.video.info import VideoInfo, describe, shown_size
from faceswap.media.video.interlacing import whole_frames
from faceswap.media.video.rates import frame_rate
from faceswap.media.video.restarts import Clock, restarts
from faceswap.media.video.writing import VideoWriter
from faceswap.settings import settings

__all__ = ["Frame", "VideoInfo", "VideoReader", "VideoWriter", "probe"]

_SEEK_FROM = 4.0
"""Seconds before which seeking saves nothing."""
_BEFORE = 2.0
"""Seconds before the wanted time that are sought: keyframes are listed by decoding time."""
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND
"""With planes as the result. Measured at 1280x720 against the formula: no bias, 3.4 ms with the planes put together; to
packed RGB swscale takes 6.6 ms for the same values, and in 0.5 ms makes them 1 to 2 grey levels too dark."""


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        index: its number in the file.
        time: seconds from the first.
        image: (H, W, 3) uint8 RGB.
        duration: seconds for which it is shown, as far as the file says; 0 where nothing is known.
    """

    index: int
    time: float
    image: NDArray[np.uint8]
    duration: float = 0.0


def probe(path: Path) -> VideoInfo:
    """What a video is.

    Raises:
        UnreadableMedia: not a video, or nothing in it can be decoded.
        MediaTooLarge: its frames have more pixels than the settings allow.
    """
    with VideoReader(path) as reader:
        return reader.info


class VideoReader:
    """Reads a video in order, as often as wanted.

    Args:
        path: the file.

    Attributes:
        info: what it is.
        damage: what was wrong with what has been read so far, or None.

    Raises:
        UnreadableMedia: not a video, or nothing in it can be decoded.
        MediaTooLarge: its frames have more pixels than the settings allow; known before one is decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        self._opened: list[InputContainer] = []
        self._undecoded = self._incomplete = 0
        self._interlaced = False
        self._resized: str | None = None
        self._scaler = VideoReformatter()
        try:
            self.info = self._probe()
        finally:
            self._close()

    def frames(self, every: int = 1, start: float | None = None, end: float | None = None) -> Iterator[Frame]:
        """Frames in order; the file is opened anew for each call.

        What can't be decoded is left out, and :attr:`damage` says so; a truncated file ends early.

        Args:
            every: take each N-th of the file.
            start, end: seconds; frames with start <= time < end.
        """
        self.damage, self._undecoded, self._incomplete = None, 0, 0
        self._interlaced, self._resized = False, None
        container, stream, index = self._opened_at(start)
        whole = index == 0
        last, clock = 0.0, Clock()
        try:
            for frame in whole_frames(self._noted(self._decoded(container, stream))):
                time, duration = self._time(frame, stream, index), self._duration(frame)
                time += clock.shift(time, duration)
                last = max(last, time + duration)
                if end is not None and time >= end:
                    return
                if index % every == 0 and (start is None or time >= start):
                    yield Frame(index, time, self._upright(frame), duration)
                index += 1
            self._note_missing(stream, index if whole else None, last)
        finally:
            container.close()

    @property
    def jumps(self) -> bool:
        """Whether a time is found without decoding all that lies before it, as in nearly all files."""
        try:
            stream = self._open()[1]
            return bool(stream.time_base) and not _times_are_wrong(stream) and not restarts(self.path)
        finally:
            self._close()

    def _probe(self) -> VideoInfo:
        container, stream = self._open()
        self._check_size(stream.codec_context.width, stream.codec_context.height)
        first = next(self._decoded(container, stream), None)
        if first is None:
            raise UnreadableMedia(f"No frame of {self.path} can be decoded", "make or copy the file again")
        self._check_size(*shown_size(stream, first))
        self._form = (first.width, first.height)
        again, pictured = self._open()
        return describe(container, stream, first, frame_rate(again, pictured))

    def _check_size(self, width: int, height: int) -> None:
        limit = settings().max_pixels
        if width * height > limit:
            raise MediaTooLarge(
                f"{self.path} has frames of {width} x {height} px, the limit is {limit:,} pixels",
                "shrink it or raise FACESWAP_MAX_PIXELS",
            )

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container = open_media(self.path)
        self._opened.append(container)
        stream = pictures(container)
        if stream is None:
            raise UnreadableMedia(f"{self.path} has no video track", "name a file with moving pictures")
        if stream.codec_context is None:
            raise UnreadableMedia(f"{self.path} is in a format that is not known", "convert it to H.264")
        stream.thread_type = "AUTO"
        return container, stream

    def _opened_at(self, start: float | None) -> tuple[InputContainer, VideoStream, int]:
        """The file, ready to decode from a keyframe before ``start``, and the number of the next frame."""
        container, stream = self._open()
        if start is None or start < _SEEK_FROM or not stream.time_base or _times_are_wrong(stream):
            return container, stream, 0
        if restarts(self.path):
            return container, stream, 0
        wanted = (stream.start_time or 0) + int((start - _BEFORE) / stream.time_base)
        try:
            container.seek(wanted, stream=stream)
            first = next(self._decoded(container, stream), None)
            if first is not None and first.pts is not None and self._time(first, stream, 0) <= start:
                number = self._number(first.pts)
                if number is not None:
                    container.seek(wanted, stream=stream)
                    return container, stream, number
        except (av.FFmpegError, OSError):
            pass  # it can't be sought: read it from the start
        container.close()
        container, stream = self._open()
        return container, stream, 0

    def _number(self, pts: int) -> int | None:
        """How many frames lie before a time: packets are read, not decoded, so it is exact and still quick."""
        container, stream = self._open()
        number = 0
        try:
            for packet in container.demux(stream):
                if not packet.size or (packet.dts is not None and packet.dts > pts):
                    break
                if packet.pts is None:
                    return None
                number += packet.pts < pts and not packet.is_discard
        except (av.FFmpegError, OSError):
            return None
        finally:
            container.close()
        return number

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """All frames that can be decoded; the rest is noted in :attr:`damage`."""
        packets = container.demux(stream)  # ends with an empty packet, which flushes the decoder
        broken = False
        while not broken:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self.damage = f"{self.path} is damaged, reading it stops: {error}"
                packet, broken = None, True
            if packet is None and not broken:
                return
            try:
                frames = stream.decode(packet)
            except (av.FFmpegError, OSError):
                self._undecoded += 1
                frames = []
            self._incomplete += sum(frame.is_corrupt for frame in frames)
            if self._undecoded or self._incomplete:
                self.damage = (
                    f"{self.path} is damaged: {self._undecoded} frames could not be decoded, "
                    f"{self._incomplete} are incomplete"
                )
            yield from frames

    def _note_missing(self, stream: VideoStream, read: int | None, last: float) -> None:
        """Compare what was read up to the end of the file with what the file promised."""
        held = len(stream.index_entries) if "mp4" in stream.container.format.name else 0
        if read is not None and held:
            if read < held - 1 and last < self.info.duration - 1 / self.info.fps:
                self.damage = f"{self.path} is truncated: {read} of {held} frames could be read"
            return
        promised = self.info.duration
        if last < promised - min(max(1.0, 0.05 * promised), 0.2 * promised) and not self._sounds_at(promised):
            self.damage = f"{self.path} is truncated: it ends at {last:.1f} of {promised:.1f} s"

    def _sounds_at(self, seconds: float) -> bool:
        """Whether there is still sound near a time: then it is the pictures that end early, not the file."""
        container = self._open()[0]
        try:
            wanted = float(first_moment(container)) + seconds
            tracks = sound_tracks(container)
            if not tracks:
                return False
            container.seek(round(max(0.0, wanted - 5 * _BEFORE) * av.time_base))
            return any(
                packet.pts is not None and float(packet.pts * packet.time_base) > wanted - 0.5 * _BEFORE
                for packet in container.demux(tracks)
            )
        except (av.FFmpegError, OSError):
            return False
        finally:
            container.close()

    def _noted(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames; what changes from one to the next is noted."""
        for frame in frames:
            self._interlaced |= bool(frame.interlaced_frame)
            if (frame.width, frame.height) != self._form and self._resized is None:
                self._resized = (
                    f"changes its size to {frame.width} x {frame.height}, all frames have that of the first"
                )
            yield frame

    @property
    def converted(self) -> list[str]:
        """In which ways what has been read so far is otherwise than it is stored, in sentences."""
        combs = "is interlaced, written deinterlaced" if self._interlaced else None
        return [f"{self.path} {text}" for text in (*self.info.conversions, combs, self._resized) if text]

    def _duration(self, frame: av.VideoFrame) -> float:
        step = 1 / float(self.info.fps)
        said = float((frame.duration or 0) * (frame.time_base or 0))
        return said if said > 0.5 * step else step  # without a rate FFmpeg says a tick of its clock

    def _time(self, frame: av.VideoFrame, stream: VideoStream, index: int) -> float:
        if frame.pts is None or frame.time_base is None or _times_are_wrong(stream):
            return index / float(self.info.fps)
        first = (stream.start_time or 0) * (stream.time_base or 0)
        return float(frame.pts * frame.time_base - first)  # deinterlaced frames have another time base

    def _upright(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        # size, pixel aspect and colours are brought to one form in one pass
        orientation = self.info.orientation
        width, height = self.info.width, self.info.height
        planes = self._scaler.reformat(
            frame,
            width=height if orientation.lying else width,
            height=width if orientation.lying else height,
            format="gbrp",
            interpolation=_EXACT,
            **to_bt709(frame),
        )
        green, blue, red = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
                :, : plane.width
            ]
            for plane in planes.planes
        )
        image = np.asarray(cv2.merge([red, green, blue]), np.uint8)
        return orientation.shown(image)

    def _close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def _times_are_wrong(stream: VideoStream) -> bool:
    """AVI has one frame rate and no times: FFmpeg counts, and counts wrong where frames are stored out of order."""
    return stream.container.format.name == "avi" and bool(stream.codec_context.has_b_frames)
