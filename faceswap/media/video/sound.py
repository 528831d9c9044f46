"""The sound of a video on its way into another: copied where the container takes it, else encoded as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from faceswap.media.video.containers import open_media, sound_track

_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_COPIED = {
    ".mp4": _MP4 | {"opus"},
    ".m4v": _MP4,
    ".mov": _MP4 | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"},
}
"""What players expect in a container; Matroska takes all that it can hold."""
_AAC_RATES = frozenset({96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})

_LAYOUTS = {1: "mono", 6: "5.1"}


class Sound:
    """Packets of a sound track, moved in time so that the written video begins at 0.

    Attributes:
        damage: what was wrong with the source's sound, or None; what could be read is kept.
    """

    def __init__(self, source: InputContainer, output: OutputContainer, suffix: str, start: float) -> None:
        self.damage: str | None = None
        self._source = source
        self._held: tuple[float, Packet[AudioStream]] | None = None
        track = sound_track(source)
        if track is None:
            self.damage = f"the sound of {source.name} is in a format that is not known, it is left out"
            self._packets: Iterator[tuple[float, Packet[AudioStream]]] = iter(())
            return
        self._track = track
        picture = source.streams.best("video")
        origin = (picture.start_time or 0) * (picture.time_base or 0) if picture else 0
        self._start = start + float(origin)
        context = self._track.codec_context
        if context.codec.canonical_name in _COPIED.get(suffix, output.supported_codecs):
            self._out = output.add_stream_from_template(self._track)
            self._packets = self._copied()
        else:
            rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48_000
            self._out = output.add_stream("aac", rate=rate, layout=_LAYOUTS.get(context.channels, "stereo"))
            self._packets = self._encoded()

    @classmethod
    def of(cls, path: Path, output: OutputContainer, suffix: str, start: float) -> Self | None:
        """The sound of a file, with a new track for it in the output; None where the file is silent.

        Where no track is in a format that is known, there are no packets, and :attr:`damage` says so.

        Args:
            path: video or sound file.
            output: container that is being written; nothing has been muxed yet.
            suffix: of the written file, lower case.
            start: seconds from the first video frame of ``path`` where the written video begins.

        Raises:
            UnreadableMedia: the file can't be opened.
        """
        source = open_media(path)
        try:
            if source.streams.audio:
                return cls(source, output, suffix, start)
        except BaseException:
            source.close()
            raise
        source.close()
        return None

    def until(self, end: float) -> Iterator[Packet[AudioStream]]:
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

    def _read(self) -> Iterator[Packet[AudioStream]]:
        packets = self._source.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self.damage = f"the sound of {self._source.name} ends early: {error}"
                return
            if packet is None:
                return
            yield packet

    def _copied(self) -> Iterator[tuple[float, Packet[AudioStream]]]:
        for packet in self._read():
            if packet.pts is None or packet.time_base is None:
                continue
            time = float(packet.pts * packet.time_base) - self._start
            if time < 0 < self._start:  # before the cut; the run-in before time 0 stays, decoders need it
                continue
            packet.pts -= round(self._start / packet.time_base)
            packet.dts = packet.pts  # sound is stored in the order of its times
            packet.stream = self._out
            yield time, packet

    def _encoded(self) -> Iterator[tuple[float, Packet[AudioStream]]]:
        for packet in self._read():
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError) as error:
                self.damage = f"the sound of {self._source.name} has gaps: {error}"
                continue
            for frame in frames:
                time = (frame.time or 0.0) - self._start
                if time >= 0:
                    frame.time_base = Fraction(1, frame.sample_rate)
                    frame.pts = round(time * frame.sample_rate)
                    yield from self._timed(self._out.encode(frame))
        yield from self._timed(self._out.encode(None))

    def _timed(self, packets: list[Packet[AudioStream]]) -> Iterator[tuple[float, Packet[AudioStream]]]:
        for packet in packets:
            yield float((packet.pts or 0) * (packet.time_base or 0)), packet
