"""Video out, frame by frame, with the sound of another file; the file appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.codec.context import Flags
from av.packet import Packet
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from faceswap.errors import MediaError
from faceswap.files.atomic import part_of
from faceswap.files.disk import write_error
from faceswap.media.video.companions import Companions
from faceswap.media.video.orientation import Orientation
from faceswap.provenance.content_credentials import sign_file
from faceswap.provenance.metadata import Provenance, container_tags

_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv"})
_TICKS = 90_000
"""Least ticks a second: variable frame times are kept to 0.01 ms."""
_X264 = "cabac=1:deblock=0,0:bframes=2:b-adapt=0"
"""What the preset ultrafast leaves out and costs little. Measured at 1280x720 against veryfast with crf 18: a third of
the time (8 ms of a core instead of 27), 0.6 dB more, one and a half times the size."""


class VideoWriter:
    """Writes H.264 (BT.709); use it as a context manager.

    On an exception nothing is left behind, and a file that was there before stays.

    Args:
        path: .mp4, .m4v, .mov or .mkv; replaced when the new file is finished.
        width, height: of the frames, px. Odd sizes are kept, by giving up chroma subsampling (yuv444p): browsers
            based on Chromium and Firefox play that, some others don't.
        fps: mean frames a second.
        audio_from: file whose sound, subtitles, chapters and tags are taken along
            (:mod:`faceswap.media.video.companions`).
        audio_start: seconds of that file (from its first frame) that become time 0 here.
        audio_end: seconds of that file where the sound ends; None: with the last frame.
        metadata: what the file says of its origin; it is signed.
        crf: quality of x264, lower is better.
        full_range: store brightness as 0..255; else, as is usual, as 16..235.
        orientation: how players turn and mirror what is stored. Frames are given upright and stored turned back, as a
            telephone does.
        keep_partial: on an exception, finish what was written instead of removing it.
        threads: of the encoder; 0: as many as it likes. What it makes differs a little with their number, so that one
            number makes the same on machines of any size.

    Attributes:
        sound_damage: what was wrong with the sound of ``audio_from``, or None.

    Raises:
        MediaError: the suffix is unknown, or the record of the origin too long.
        UnreadableMedia: ``audio_from`` can't be read.
        StorageError: the file can't be written.
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
        crf: int = 19,
        full_range: bool = False,
        orientation: Orientation | None = None,
        keep_partial: bool = False,
        threads: int = 0,
    ) -> None:
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES:
            raise MediaError(f"{path} has no suffix of a video that can be written", "use .mp4, .mov or .mkv")
        tags = container_tags(metadata) if metadata else {}
        orientation = orientation or Orientation()
        self.path, self.keep_partial, self._metadata = path, keep_partial, metadata
        self.fps = Fraction(fps).limit_denominator(100_000)
        # a multiple of the frame rate: constant rates stay exact
        self._base = Fraction(1, self.fps.numerator * ceil(_TICKS / self.fps.numerator))
        self._shape = (height, width, 3)
        self._range = ColorRange.JPEG if full_range else ColorRange.MPEG
        self._orientation = orientation
        self._count, self._last = 0, -1
        self._held: av.VideoFrame | None = None
        self._shown = 0
        self._sound_end = audio_end - audio_start if audio_end is not None else None
        self._scaler = VideoReformatter()
        self._companions: Companions | None = None
        self._part = part_of(path)
        options = {} if suffix == ".mkv" else {"movflags": "+faststart"}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._part.absolute()), "w", container_options=options)
        except (av.FFmpegError, OSError) as error:
            raise write_error(self.path, error) from error
        try:
            self._container.metadata.update(tags)
            stored = (height, width) if orientation.lying else (width, height)
            self._stream = self._picture_track(*stored, crf)
            self._stream.codec_context.thread_count = threads
            if not orientation.upright:
                self._stream.set_display_matrix(orientation.matrix)
            if audio_from is not None:
                self._companions = Companions.of(
                    audio_from,
                    self._container,
                    suffix,
                    start=audio_start,
                    end=self._sound_end,
                    metadata=metadata,
                )
        except BaseException:
            self._abandon()
            raise

    @property
    def sound_damage(self) -> str | None:
        """What was wrong with the sound so far."""
        return self._companions.damage if self._companions else None

    def write(
        self, image: NDArray[np.uint8], time: float | None = None, duration: float | None = None
    ) -> None:
        """Append a frame.

        Args:
            image: (height, width, 3) uint8 RGB.
            time: seconds from the start, growing; keeps variable frame rates. None: one frame after the last.
            duration: seconds for which it is shown if it is the last. None: one frame.

        Raises:
            MediaError: the picture has another shape or type.
            StorageError: the file can't be written.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise MediaError(
                f"{self.path} takes uint8 frames of {self._shape}, not {image.dtype} {image.shape}"
            )
        frame = self._scaler.reformat(
            av.VideoFrame.from_numpy_buffer(self._orientation.stored(image), format="rgb24"),
            format=self._stream.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=self._range,
        )
        step = 1 / self.fps / self._base
        ticks = self._last + step if time is None and self._count else Fraction(time or 0) / self._base
        frame.pts = self._last = max(self._last + 1, round(ticks))
        frame.time_base = self._base
        frame.duration = round(step)  # of all but the last the times say it
        self._shown = max(1, round(step if duration is None else Fraction(duration) / self._base))
        self._count += 1
        # the last frame is encoded in a way of its own, and which that is shows only at the end
        before, self._held = self._held, frame
        if before is not None:
            self._mux(self._stream.encode(before))
        # sound and picture lie side by side in the file, so that players need not jump
        self._mux_sound(float(self._last * self._base))

    def _picture_track(self, width: int, height: int, crf: int) -> Any:
        stream: Any = self._container.add_stream("libx264", rate=self.fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._base
        stream.options = {"crf": str(crf), "preset": "ultrafast", "x264-params": _X264}
        context = stream.codec_context
        context.color_range, context.colorspace = self._range, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.flags |= Flags.frame_duration
        return stream

    def _mux(self, packets: Iterable[Packet[Any]]) -> None:
        try:
            for packet in packets:
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise write_error(self.path, error) from error

    def _mux_sound(self, until: float) -> None:
        if self._companions is not None:
            until = until if self._sound_end is None else min(until, self._sound_end)
            self._mux(self._companions.until(until))

    def _finish(self) -> None:
        last = self._held
        assert last is not None
        last.duration = self._shown
        if last.duration > 1.5 / self.fps / self._base:
            # MP4 keeps the duration of what is stored last: nothing may be predicted from a frame that is held
            last.pict_type = PictureType.I
        self._mux(self._stream.encode(last))
        self._mux(self._stream.encode())
        self._mux_sound(float((self._last + last.duration) * self._base))
        try:
            self._container.close()
            if self._metadata is not None:
                sign_file(self._part, self._metadata)
            self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise write_error(self.path, error) from error

    def _abandon(self) -> None:
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        if self._companions is not None:
            self._companions.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._count and (kind is None or self.keep_partial):
                self._finish()
            elif kind is None:
                raise MediaError(f"No frame was given for {self.path}; it is not written")
        finally:
            self._abandon()
