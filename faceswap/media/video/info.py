"""What a video is, as far as its header and its first frame tell."""

from dataclasses import dataclass, field
from fractions import Fraction

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from faceswap.media.video.colours import is_hdr
from faceswap.media.video.containers import sound_tracks
from faceswap.media.video.orientation import Orientation


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, upright and with square pixels.

    Attributes:
        width, height: px, after rotation.
        fps: frames a second while frames follow one another (see :mod:`faceswap.media.video.rates`).
        duration: of the picture track in seconds, 0 where unknown.
        frames: as the file says, or an estimate, or None.
        has_audio: whether there is sound in a format that is known.
        codec: name.
        orientation: how the stored frames are turned and mirrored.
        full_range: whether brightness is stored as 0..255, as phones and webcams may, and not as 16..235.
        hdr: whether it is stored as PQ or HLG; frames are read as BT.709, with lights brighter than paper clipped.
        interlaced: whether its first frame is; frames are read without combs.
        bits: of a colour channel as it is stored; frames are read with 8.
        alpha: whether parts are transparent, which frames do not tell.
        full_colour: whether every pixel has a colour of its own (4:4:4, RGB); results have one for four (4:2:0).
    """

    width: int
    height: int
    fps: Fraction
    duration: float
    frames: int | None
    has_audio: bool
    codec: str
    orientation: Orientation = field(default_factory=Orientation)
    full_range: bool = False
    hdr: bool = False
    interlaced: bool = False
    bits: int = 8
    alpha: bool = False
    full_colour: bool = False

    @property
    def conversions(self) -> list[str]:
        """In which ways its frames are read otherwise than they are stored, so that it may show, in sentences."""
        said = []
        if self.hdr:
            said.append(
                "is HDR, written as BT.709: lights brighter than white paper are white; where that shows, convert it "
                "first"
            )
        elif self.bits > 8:
            said.append(f"has {self.bits} bits a colour, written with 8")
        if self.alpha:
            said.append("is transparent in parts, the result is opaque")
        if self.full_colour:
            said.append("stores a colour for every pixel (4:4:4), the result one for every four (4:2:0)")
        return said


def describe(container: InputContainer, stream: VideoStream, first: VideoFrame, fps: Fraction) -> VideoInfo:
    """What a video is.

    Args:
        container, stream: of the file.
        first: its first frame.
        fps: its frame rate.
    """
    width, height = shown_size(stream, first)
    orientation = Orientation.of(first)
    if orientation.lying:
        width, height = height, width
    seconds = length(container, stream)
    depth, alpha = _channels(first.format)
    return VideoInfo(
        width=width,
        height=height,
        fps=fps,
        duration=seconds,
        frames=stream.frames or (round(seconds * fps) if seconds else None),
        has_audio=bool(sound_tracks(container)),
        codec=stream.codec_context.name,
        orientation=orientation,
        full_range=first.color_range == ColorRange.JPEG or first.format.name.startswith("yuvj"),
        hdr=is_hdr(first),
        interlaced=bool(first.interlaced_frame),
        bits=depth,
        alpha=alpha or _tag(stream, "alpha_mode") == "1",
        full_colour=_has_full_colour(first.format),
    )


def shown_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """(width, height) in square px, before any rotation."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return max(1, round(frame.width * (aspect if aspect > 0 else 1))), frame.height


def length(container: InputContainer, stream: VideoStream) -> float:
    """Seconds of the picture track, 0 where unknown.

    Matroska tells it in a tag of the track; its header has the end of the longest track, which may be the sound.
    """
    first = float((stream.start_time or 0) * (stream.time_base or 0))
    if stream.duration:
        return float(stream.duration * (stream.time_base or 0))
    tagged = _clock(_tag(stream, "duration"))
    if tagged > first:
        return tagged - first
    return float((container.duration or 0) / av.time_base)


def _tag(stream: VideoStream, name: str) -> str:
    return next((value for key, value in stream.metadata.items() if key.lower() == name), "")


def _clock(text: str) -> float:
    """Seconds of HH:MM:SS.f, 0 for anything else."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0


def _channels(form: VideoFormat) -> tuple[int, bool]:
    """Bits of the deepest channel, and whether one of them is alpha."""
    return max((part.bits for part in form.components), default=8), any(
        part.is_alpha for part in form.components
    )


def _has_full_colour(form: VideoFormat) -> bool:
    """Whether a format has colours that are as fine as its brightness; grey and palettes have none to lose."""
    colours = sum(not part.is_alpha for part in form.components)
    return colours >= 3 and not form.has_palette and form.chroma_width(64) == form.chroma_height(64) == 64
