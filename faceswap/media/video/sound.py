"""A sound or subtitle track on its way into another file: copied where the container takes it; sound else as AAC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.subtitles.stream import SubtitleStream

from faceswap.media.video.containers import first_moment, open_media
from faceswap.media.video.restarts import Clock, restarts

_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_COPIED = {
    ".mp4": _MP4 | {"opus", "mov_text"},
    ".m4v": _MP4 | {"mov_text"},
    ".mov": _MP4 | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "mov_text"},
    ".mkv": frozenset({"subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}),
}
"""What players expect in a container; of sound Matroska takes all that it can hold."""
_AAC_RATES = frozenset({96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})
_LAYOUTS = {1: "mono", 6: "5.1"}
_NAMELESS = re.compile(r"|(Apple )?(Sound|Video|Subtitle|Core)(Media|Handle| Media).*", re.IGNORECASE)
"""Handlers that writers of MP4 name where a track has no title."""


_QUICKTIME = {
    "deu": "ger",
    "nld": "dut",
    "zho": "chi",
    "ell": "gre",
    "isl": "ice",
    "swe": "sve",
    "eus": "baq",
    "fre": "fra",
    "cze": "ces",
    "rum": "ron",
    "slo": "slk",
}
"""Languages by the names that FFmpeg knows QuickTime's numbers for."""


def is_copied(track: Stream, output: OutputContainer, suffix: str) -> bool:
    """Whether a sound or subtitle track goes into the output as it is."""
    codec = track.codec_context.codec.canonical_name
    known = _COPIED.get(suffix, frozenset())
    if suffix == ".mkv" and isinstance(track, AudioStream):
        return codec in output.supported_codecs or codec in known
    return codec in known


def describe(track: Stream, new: Stream, suffix: str) -> None:
    """Give a new track the language, title and role of another."""
    tags = {key.lower(): value for key, value in track.metadata.items()}
    title = tags.get("title") or tags.get("handler_name", "")
    if not _NAMELESS.fullmatch(title):
        new.metadata["title" if suffix == ".mkv" else "handler_name"] = (
            title  # players of MP4 show the handler
        )
    language = tags.get("language")
    if language:
        new.metadata["language"] = _QUICKTIME.get(language, language) if suffix == ".mov" else language
    new.disposition = track.disposition


class Track:
    """Packets of a sound or subtitle track, moved in time so that the written video begins at 0.

    Each reads the file by itself: tracks of any length and order are held in constant memory.

    Args:
        path: file that holds the track.
        index: of the track in it.
        output: container that is being written; nothing has been muxed yet. It gets a new track.
        suffix: of the written file, lower case.
        start: seconds from the first video frame of ``path`` where the written video begins.

    Attributes:
        damage: what was wrong with the source's track, or None; what could be read is kept.
        encoded: the name of the sound's format where it can't be copied and becomes AAC, else None.

    Raises:
        UnreadableMedia: the file can't be opened.
    """

    def __init__(self, path: Path, index: int, output: OutputContainer, suffix: str, start: float) -> None:
        self.damage: str | None = None
        self.encoded: str | None = None
        self._name = path
        self._clock = Clock(restarts(path))
        self._held: tuple[float, Packet[Any]] | None = None
        self._source = open_media(path)
        try:
            self._track = self._source.streams[index]
            self._what = "sound" if isinstance(self._track, AudioStream) else "subtitles"
            for other in self._source.streams:
                if other.index != index:
                    other.discard = Discard.all
            self._cut = start > 0
            self._start = start + float(first_moment(self._source))
            self._out: Any
            self._packets: Iterator[tuple[float, Packet[Any]]]
            if is_copied(self._track, output, suffix):
                self._out = output.add_stream_from_template(self._track)
                self._packets = self._copied()
            else:
                context: Any = self._track.codec_context
                rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48_000
                self._out = output.add_stream(
                    "aac", rate=rate, layout=_LAYOUTS.get(context.channels, "stereo")
                )
                self._packets = self._encoded()
                self.encoded = context.codec.canonical_name
            describe(self._track, self._out, suffix)
        except BaseException:
            self._source.close()
            raise

    def until(self, end: float) -> Iterator[Packet[Any]]:
        """The next packets that begin before ``end``, in seconds of the written video."""
        while True:
            self._held = self._held or next(self._packets, None)
            if self._held is None or self._held[0] >= end:
                return
            packet, self._held = self._held[1], None
            yield packet

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _read(self) -> Iterator[Packet[Any]]:
        packets = self._source.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self.damage = f"the {self._what} of {self._name} ends early: {error}"
                return
            if packet is None:
                return
            yield packet

    def _copied(self) -> Iterator[tuple[float, Packet[Any]]]:
        last: int | None = None
        for packet in self._read():
            if packet.pts is None or packet.time_base is None:
                continue
            time = float(packet.pts * packet.time_base) - self._start
            shift = self._clock.shift(time, float((packet.duration or 0) * packet.time_base))
            time += shift
            if time < 0 and not self._keeps_run_in:
                continue
            packet.pts += round((shift - self._start) / packet.time_base)
            if last is not None and packet.pts <= last:
                if isinstance(self._track, AudioStream):  # twice the same moment, where two files meet
                    continue
                packet.pts = last + 1
            packet.dts = last = packet.pts  # sound is stored in the order of its times
            packet.stream = self._out
            yield time, packet

    @property
    def _keeps_run_in(self) -> bool:
        """Whether packets before time 0 stay: of whole sound the run-in, which decoders need."""
        if self._cut or isinstance(self._track, SubtitleStream):
            return False
        return self._start <= 0

    def _encoded(self) -> Iterator[tuple[float, Packet[Any]]]:
        last = -1.0
        for packet in self._read():
            try:
                frames: list[Any] = packet.decode()
            except (av.FFmpegError, OSError) as error:
                self.damage = f"the sound of {self._name} has gaps: {error}"
                continue
            for frame in frames:
                time = (frame.time or 0.0) - self._start
                time += self._clock.shift(time, frame.samples / frame.sample_rate)
                if time >= 0 and time > last:
                    last = time
                    frame.time_base = Fraction(1, frame.sample_rate)
                    frame.pts = round(time * frame.sample_rate)
                    yield from self._timed(self._out.encode(frame))
        yield from self._timed(self._out.encode(None))

    def _timed(self, packets: list[Packet[Any]]) -> Iterator[tuple[float, Packet[Any]]]:
        for packet in packets:
            yield float((packet.pts or 0) * (packet.time_base or 0)), packet
