"""Parts of a video, one after the other in one file, without encoding them again."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from faceswap.errors import MediaError, StorageError
from faceswap.media.video.containers import open_media
from faceswap.media.video.sound import Sound
from faceswap.provenance.metadata import Provenance, container_tags
from faceswap.storage import replacing


@dataclass(frozen=True)
class Part:
    """A video file and when its first frame is shown, in seconds of the joined video."""

    path: Path
    start: float


def join_videos(
    parts: Sequence[Part],
    out: Path,
    *,
    audio_from: Path | None = None,
    audio_start: float = 0.0,
    rotation: int = 0,
    metadata: Provenance | None = None,
) -> str | None:
    """Copy the pictures of the parts into one file, with the sound of another; ``out`` appears whole or not at all.

    Args:
        parts: in their order, written by :class:`faceswap.media.video.writing.VideoWriter` with equal settings.
        out: .mp4, .m4v, .mov or .mkv.
        audio_from: file whose sound is taken along, as far as the pictures reach.
        audio_start: seconds of that file that become time 0.
        rotation: with which the parts were written.
        metadata: what the file says of its origin.

    Returns:
        what was wrong with the sound of ``audio_from``, or None.

    Raises:
        MediaError: there are no parts, or they differ in size or coding.
        UnreadableMedia: a part or ``audio_from`` can't be read.
        StorageError: the file can't be written.
    """
    if not parts:
        raise MediaError(f"There is nothing to join for {out}")
    suffix = out.suffix.lower()
    options = {} if suffix == ".mkv" else {"movflags": "+faststart"}
    try:
        with replacing(out) as unfinished, ExitStack() as stack:
            container = stack.enter_context(av.open(str(unfinished), "w", container_options=options))
            container.metadata.update(container_tags(metadata) if metadata else {})
            with open_media(parts[0].path) as first:
                track = container.add_stream_from_template(first.streams.video[0])
                coding = _coding(first)
            if rotation:
                track.set_display_rotation(rotation)
            sound = Sound.of(audio_from, container, suffix, audio_start) if audio_from else None
            if sound is not None:
                stack.callback(sound.close)
            last = None
            for part in parts:
                with open_media(part.path) as source:  # one at a time: long videos have hundreds
                    if _coding(source) != coding:
                        raise MediaError(
                            f"The parts of {out} are coded in different ways",
                            "begin anew: --fresh, or remove the folder of parts",
                        )
                    last = _copy(source, part.start, track, container, sound, last)
            # packets stay in the container's queue until it is closed, which ``stack`` does before the rename
    except (av.FFmpegError, OSError) as error:
        raise StorageError(
            f"{out} can't be written: {error}", "check the folder and the space on the disk"
        ) from error
    return sound.damage if sound is not None else None


def _copy(
    source: InputContainer,
    start: float,
    track: VideoStream,
    container: av.container.OutputContainer,
    sound: Sound | None,
    last: Fraction | None,
) -> Fraction | None:
    """Mux all pictures of one part, with the sound beside them; the last decoding time, in seconds."""
    for packet in source.demux(source.streams.video[0]):
        if packet.pts is None or packet.dts is None or packet.time_base is None:
            continue
        base = packet.time_base
        shift = round(Fraction(start) / base)
        packet.pts += shift
        packet.dts += shift
        # with variable frame times the first pictures of a part may be due before the last of the one before
        if last is not None and packet.dts * base <= last:
            packet.dts = int(last / base) + 1
        last = packet.dts * base
        until = packet.pts * base + (packet.duration or 0) * base
        packet.stream = track
        container.mux(packet)
        if sound is not None:
            _mux_sound(container, sound, float(until))
    return last


def _mux_sound(container: av.container.OutputContainer, sound: Sound, until: float) -> None:
    packets: list[Packet[av.AudioStream]] = list(sound.until(until))
    for packet in packets:
        container.mux(packet)


def _coding(container: InputContainer) -> tuple[int, int, str | None, bytes | None]:
    """The decoder's setup: streams can follow one another only where it is the same."""
    context = container.streams.video[0].codec_context
    return context.width, context.height, context.pix_fmt, context.extradata
