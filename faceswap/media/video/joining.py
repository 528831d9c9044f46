"""Parts of a video, one after the other in one file, without encoding them again."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import inf
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from faceswap.errors import MediaError
from faceswap.files.atomic import replacing
from faceswap.files.disk import write_error
from faceswap.media.video.companions import Companions
from faceswap.media.video.containers import open_media
from faceswap.media.video.orientation import Orientation
from faceswap.provenance.content_credentials import sign_file
from faceswap.provenance.metadata import Provenance, container_tags


@dataclass(frozen=True)
class Joined:
    """What became of all but the pictures.

    Attributes:
        damage: what was wrong with the source's sound or subtitles, or None.
        left_out: what could not be kept or is kept in another form, in sentences.
    """

    damage: str | None = None
    left_out: tuple[str, ...] = ()


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
    end: float | None = None,
    fps: Fraction | None = None,
    orientation: Orientation | None = None,
    metadata: Provenance | None = None,
    target: Path | None = None,
) -> Joined:
    """Copy the pictures of the parts into one file, with all that accompanies those of another.

    ``out`` appears whole or not at all.

    Args:
        parts: in their order, written by :class:`faceswap.media.video.writing.VideoWriter` with equal settings.
        out: .mp4, .m4v, .mov or .mkv.
        audio_from: file whose sound, subtitles, chapters and tags are taken along.
        audio_start: seconds of that file that become time 0.
        end: seconds of the joined video where sound and chapters end; None: where those of ``audio_from`` do, which may
            be after the pictures.
        fps: that the file names; None: that of the first part.
        orientation: with which the parts were written.
        metadata: what the file says of its origin; it is signed.
        target: the video that was edited.

    Raises:
        CredentialsError: it can't be signed.
        MediaError: there are no parts, or they differ in size or coding.
        UnreadableMedia: a part or ``audio_from`` can't be read.
        StorageError: the file can't be written.
    """
    if not parts:
        raise MediaError(f"There is nothing to join for {out}")
    suffix = out.suffix.lower()
    options = {} if suffix == ".mkv" else {"movflags": "+faststart"}
    if metadata and target:
        metadata = metadata.about_target(target)
    try:
        with replacing(out) as unfinished:
            with ExitStack() as stack:
                container = stack.enter_context(av.open(str(unfinished), "w", container_options=options))
                companions: Companions | None = None
                with open_media(parts[0].path) as first:
                    template = first.streams.video[0]
                    track = container.add_stream_from_template(template)
                    track.codec_context.framerate = fps or template.average_rate or Fraction(25)
                    coding = _coding(first)
                if orientation is not None and not orientation.upright:
                    track.set_display_matrix(orientation.matrix)
                if audio_from is None:
                    container.metadata.update(container_tags(metadata) if metadata else {})
                else:
                    companions = Companions.of(
                        audio_from, container, suffix, start=audio_start, end=end, metadata=metadata
                    )
                    stack.callback(companions.close)
                last, until = None, inf if end is None else end
                for part in parts:
                    with open_media(part.path) as source:  # one at a time: long videos have hundreds
                        if _coding(source) != coding:
                            raise MediaError(
                                f"The parts of {out} are coded in different ways",
                                "begin anew: --fresh, or remove the folder of parts",
                            )
                        last = _copy(source, part.start, track, container, companions, until, last)
                joined = Joined()
                if companions is not None:
                    for packet in companions.until(until):
                        container.mux(packet)
                    container.close()  # what is still in its queue is written
                    joined = Joined(
                        companions.damage, (*companions.left_out, *companions.missing(unfinished))
                    )
            if metadata:  # of the finished file, whose bytes are what is signed
                sign_file(unfinished, metadata, target)
            return joined
    except (av.FFmpegError, OSError) as error:
        raise write_error(out, error) from error


def _copy(
    source: InputContainer,
    start: float,
    track: VideoStream,
    container: av.container.OutputContainer,
    companions: Companions | None,
    end: float,
    last: Fraction | None,
) -> Fraction | None:
    """Mux all pictures of one part, with the sound beside them; the last decoding time, in seconds."""
    step = 1 / track.codec_context.framerate
    packets = (p for p in source.demux(source.streams.video[0]) if p.pts is not None and p.dts is not None)
    for packet, after in pairwise(chain(packets, [None])):
        if packet is None or packet.pts is None or packet.dts is None:
            continue
        base = packet.time_base
        if after is not None:  # MP4 tells when the next is decoded; how long this one is shown its times say
            packet.duration = round(step / base)
        shift = round(Fraction(start) / base)
        packet.pts += shift
        packet.dts += shift
        # with variable frame times the first pictures of a part may be due before the last of the one before
        if last is not None and packet.dts * base <= last:
            packet.dts = int(last / base) + 1
        last = packet.dts * base
        shown = packet.pts * base + (packet.duration or 0) * base
        packet.stream = track
        container.mux(packet)
        if companions is not None:
            for other in companions.until(min(float(shown), end)):
                container.mux(other)
    return last


def _coding(container: InputContainer) -> tuple[int, int, str | None, bytes | None]:
    """The decoder's setup: streams can follow one another only where it is the same."""
    context = container.streams.video[0].codec_context
    return context.width, context.height, context.pix_fmt, context.extradata
