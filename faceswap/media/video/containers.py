"""Opening of video files as what they claim to be."""

from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

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


def sound_track(container: InputContainer) -> AudioStream | None:
    """The first sound track in a format that is known; telephones put others, that only they play, beside it."""
    return next((track for track in container.streams.audio if track.codec_context is not None), None)
