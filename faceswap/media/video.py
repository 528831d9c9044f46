"""Video in and out, frame by frame in constant memory: upright RGB frames, times from the container, sound kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import MediaTooLarge, StorageError, UnreadableMedia
from faceswap.provenance.metadata import Provenance, container_tags
from faceswap.settings import settings

_TIME_BASE = Fraction(1, 90_000)
_SEEK_SECONDS = 4.0
_COPYABLE_AUDIO = {"aac", "mp3", "ac3", "alac"}


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, upright.

    Attributes:
        width, height: px, after rotation.
        fps: mean frames a second.
        duration: seconds, 0 where unknown.
        frames: estimate, or None.
        rotation: degrees counter-clockwise that the container asks for.
        has_audio: whether there is sound.
        codec: name.
    """

    width: int
    height: int
    fps: Fraction
    duration: float
    frames: int | None
    rotation: int
    has_audio: bool
    codec: str


@dataclass(frozen=True)
class Frame:
    """One frame: its number in the file, its time in seconds, its (H, W, 3) uint8 RGB picture."""

    index: int
    time: float
    image: NDArray[np.uint8]


def probe(path: Path) -> VideoInfo:
    """What a video is.

    Raises:
        UnreadableMedia: not a video, or nothing in it can be decoded.
    """
    with VideoReader(path) as reader:
        return reader.info


class VideoReader:
    """Reads a video once, in order.

    Args:
        path: the file.

    Attributes:
        info: what it is.
        damage: after reading: what broke off the reading, or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        try:
            self._container = av.open(str(path))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableMedia(f"{path} can't be read as a video: {error}") from error
        try:
            self.info = self._probe()
        except BaseException:
            self._container.close()
            raise

    def _probe(self) -> VideoInfo:
        if not self._container.streams.video:
            raise UnreadableMedia(f"{self.path} has no picture track")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        try:
            first = next(self._container.decode(stream))
            self._container.seek(0)
        except (av.FFmpegError, StopIteration) as error:
            raise UnreadableMedia(
                f"No frame of {self.path} can be decoded: {error or 'it is empty'}"
            ) from error
        rotation = int(first.rotation or 0) % 360
        width, height = (first.height, first.width) if rotation in {90, 270} else (first.width, first.height)
        if width * height > settings().max_pixels:
            raise MediaTooLarge(
                f"{self.path} has frames of {width} x {height} px", "raise FACESWAP_MAX_PIXELS"
            )
        fps = Fraction(stream.average_rate or stream.guessed_rate or 25)
        seconds = self._container.duration / av.time_base if self._container.duration else 0.0
        count = stream.frames or (round(seconds * fps) if seconds else None)
        audio = bool(self._container.streams.audio)
        return VideoInfo(width, height, fps, seconds, count, rotation, audio, stream.codec_context.name)

    def frames(self, every: int = 1, start: float | None = None, end: float | None = None) -> Iterator[Frame]:
        """Frames in order.

        Args:
            every: take each N-th.
            start, end: seconds; frames with start <= time < end.

        A damaged file ends early and sets :attr:`damage`.
        """
        stream = self._container.streams.video[0]
        origin = float((stream.start_time or 0) * (stream.time_base or 0))
        index = -1
        if start is not None and start > _SEEK_SECONDS:
            # counted from time after a seek, so that a segment's frames have the numbers of the whole
            self._container.seek(int((start - _SEEK_SECONDS / 2 + origin) * av.time_base))
            index = -2
        decoder = self._container.decode(stream)
        while True:
            try:
                frame = next(decoder)
            except StopIteration:
                self._note_missing(index + 1)  # also right after a seek: the index counts from the start
                return
            except (av.FFmpegError, OSError) as error:
                self.damage = f"{self.path} is damaged after frame {index}: {error}"
                return
            if index == -2:
                index = round((float(frame.time or 0) - origin) * self.info.fps) - 1
            index += 1
            time = frame.time - origin if frame.time is not None else index / float(self.info.fps)
            if end is not None and time >= end:
                return
            if index % every or (start is not None and time < start):
                continue
            yield Frame(index, time, self._upright(frame))

    def _note_missing(self, read: int) -> None:
        expected = self._container.streams.video[0].frames
        if expected and read < expected - 1:
            self.damage = f"{self.path} is truncated: {read} of {expected} frames could be read"

    def _upright(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        turns = self.info.rotation // 90
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


class VideoWriter:
    """Writes H.264 frame by frame; the file appears whole or not at all.

    Args:
        path: .mp4, .mov or .mkv.
        width, height: of the frames, px; odd sizes are kept (then without chroma subsampling).
        fps: mean frames a second.
        audio_from: video whose sound is taken along.
        audio_start, audio_end: seconds of that sound that belong to the written frames.
        metadata: what the file says of its origin.
        crf: quality of x264, lower is better.
        keep_partial: on an exception, finish what was written instead of removing it.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        fps: Fraction | float,
        audio_from: Path | None = None,
        audio_start: float = 0.0,
        audio_end: float | None = None,
        metadata: Provenance | None = None,
        crf: int = 18,
        keep_partial: bool = False,
    ) -> None:
        self.path, self.fps, self.keep_partial = path, Fraction(fps).limit_denominator(100_000), keep_partial
        self._audio = (audio_from, audio_start, audio_end)
        self._count, self._last = 0, -1
        path.parent.mkdir(parents=True, exist_ok=True)
        self._part = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            # use_metadata_tags: MP4 keeps no tag that it does not know without it
            options = (
                {"movflags": "+faststart+use_metadata_tags"}
                if path.suffix.lower() in {".mp4", ".mov"}
                else {}
            )
            self._container = av.open(str(self._part), "w", options=options)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise StorageError(f"{path} can't be written: {error}", "use a path that ends in .mp4") from error
        for key, value in container_tags(metadata).items() if metadata else ():
            self._container.metadata[key] = value
        stream: Any = self._container.add_stream("libx264", rate=self.fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        context = stream.codec_context
        context.color_range, context.colorspace = 1, 1  # limited range, BT.709
        context.color_primaries, context.color_trc = 1, 1
        self._stream = stream
        self._source, self._sound = self._open_sound()

    def _open_sound(self) -> tuple[Any, Any]:
        path = self._audio[0]
        if path is None:
            return None, None
        source = av.open(str(path))
        if not source.streams.audio:
            source.close()
            return None, None
        track = source.streams.audio[0]
        if track.codec_context.name in _COPYABLE_AUDIO:
            return source, self._container.add_stream_from_template(track)
        return source, self._container.add_stream("aac", rate=track.codec_context.sample_rate)

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append a (H, W, 3) uint8 RGB frame; ``time`` in seconds from the start keeps variable frame rates."""
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(format=self._stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG")
        seconds = self._count / self.fps if time is None else Fraction(time).limit_denominator(10**6)
        frame.pts = max(self._last + 1, round(seconds / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last, self._count = frame.pts, self._count + 1
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise StorageError(f"{self.path} can't be written: {error}", "make room on the disk") from error

    def _finish(self) -> None:
        try:
            self._container.mux(self._stream.encode())
            self._write_sound()
            self._container.close()
            self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise StorageError(f"{self.path} can't be finished: {error}", "make room on the disk") from error

    def _write_sound(self) -> None:
        if self._source is None:
            return
        _, start, end = self._audio
        track = self._source.streams.audio[0]
        copied = self._sound.codec_context is None or track.codec_context.name in _COPYABLE_AUDIO
        stop = end if end is not None else start + float(self._last * _TIME_BASE) + float(1 / self.fps)
        try:
            if copied:
                self._copy_sound(track, start, stop)
            else:
                self._encode_sound(track, start, stop)
        except av.FFmpegError:
            # the sound of a damaged source ends where the damage begins
            return

    def _copy_sound(self, track: Any, start: float, stop: float) -> None:
        for packet in self._source.demux(track):
            if packet.pts is None:
                continue
            time = float(packet.pts * packet.time_base)
            if start <= time < stop:
                shift = round(start / packet.time_base)
                packet.pts -= shift
                packet.dts = packet.pts
                packet.stream = self._sound
                self._container.mux(packet)

    def _encode_sound(self, track: Any, start: float, stop: float) -> None:
        for frame in self._source.decode(track):
            if frame.time is not None and start <= frame.time < stop:
                frame.pts = round((frame.time - start) * frame.sample_rate)
                frame.time_base = Fraction(1, frame.sample_rate)
                self._container.mux(self._sound.encode(frame))
        self._container.mux(self._sound.encode())

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._count and (kind is None or self.keep_partial):
                self._finish()
            else:
                self._container.close()
        finally:
            if self._source is not None:
                self._source.close()
            self._part.unlink(missing_ok=True)
