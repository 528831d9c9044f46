"""Opening of video files as what they claim to be, and what their tracks are for."""

from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from faceswap.errors import UnreadableMedia

_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,wav,mp3,aac,flac,ogg"
"""No playlists, which would open other files and addresses, and no pictures that are called a video."""


def open_media(path: Path) -> InputContainer:
    """A container for reading; the caller closes it.

    Args:
        path: a video (or sound) file. Nothing but this file is opened, whatever it refers to.

    Raises:
        UnreadableMedia: it is missing, not a video, or its header is damaged.
    """
    if not path.is_file():
        raise UnreadableMedia(f"There is no file {path}", "check the path")
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        # an absolute path is never taken for a protocol; tags in other encodings are no reason to refuse
        return av.open(str(path.absolute()), container_options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UnreadableMedia(
            f"{path} can't be read as a video: {why}", "see whether a player opens it, or remove it"
        ) from error


def pictures(container: InputContainer) -> VideoStream | None:
    """The track of moving pictures that players show, not a cover; None where there is none."""
    track = container.streams.best("video")
    if not isinstance(track, VideoStream) or Disposition.attached_pic in track.disposition:
        return None
    return track


def sound_tracks(container: InputContainer) -> list[AudioStream]:
    """The sound tracks in a format that is known; telephones put others, that only they play, beside them."""
    return [track for track in container.streams.audio if track.codec_context is not None]


def first_moment(container: InputContainer) -> Fraction:
    """When the first picture is due, in seconds of the container; times of this software count from there."""
    track = pictures(container)
    return Fraction(track.start_time or 0) * (track.time_base or 0) if track else Fraction(0)
