"""What the app refuses before any work is done, with the setting that would allow it."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from faceswap.errors import MediaError, MediaTooLarge, UnreadableMedia
from faceswap.media.sources import kind_of
from faceswap.media.video.reading import VideoInfo, probe
from faceswap.settings import Settings


@dataclass(frozen=True)
class Limits:
    """Sizes that one request may have.

    Attributes:
        megabytes: of a file.
        pixels: of a picture or a frame.
        seconds: of a video.
    """

    megabytes: int
    pixels: int
    seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits of the settings ``app_max_…``."""
        return cls(settings.app_max_mb, settings.app_max_pixels, settings.app_max_seconds)

    def check_picture(self, path: Path | None) -> Path:
        """The path, if it names a picture within the limits; only the header is read.

        Raises:
            MediaError: nothing was given, or something else than a picture.
            UnreadableMedia: no picture.
            MediaTooLarge: too many bytes or pixels.
        """
        path = self._file(path, "image")
        try:
            with Image.open(path) as image:
                width, height = image.size
        except Exception as error:  # of damaged files Pillow raises almost anything
            raise UnreadableMedia(
                f"{path.name} can't be read as a picture", "see whether another program opens it"
            ) from error
        self._check_pixels(path, width, height)
        return path

    def check_video(self, path: Path | None) -> VideoInfo:
        """What a video within the limits is; its length is 0 where the file does not tell.

        Raises:
            MediaError: nothing was given, or something else than a video.
            UnreadableMedia: no frame can be decoded.
            MediaTooLarge: too many bytes, pixels or seconds.
        """
        path = self._file(path, "video")
        info = probe(path)
        self._check_pixels(path, info.width, info.height)
        if info.duration > self.seconds + 0.5:
            raise MediaTooLarge(
                f"{path.name} is {info.duration:.0f} s long, the limit is {self.seconds:g} s",
                "cut it, or raise FACESWAP_APP_MAX_SECONDS",
            )
        return info

    def _file(self, path: Path | None, kind: str) -> Path:
        what = "picture" if kind == "image" else "video"
        if path is None:
            raise MediaError(f"There is no {what} yet", f"drop a {what}, or choose an example")
        if not path.is_file():
            raise UnreadableMedia(f"{path.name} is gone", f"choose the {what} again")
        if kind_of(path) != kind:
            raise MediaError(f"{path.name} is not called as a {what}", f"choose a {what}, or rename the file")
        size = path.stat().st_size
        if not size:
            raise UnreadableMedia(f"{path.name} is empty", "choose another file")
        if size > self.megabytes * 1_000_000:
            raise MediaTooLarge(
                f"{path.name} has {size / 1e6:.0f} MB, the limit is {self.megabytes} MB",
                "shrink it, or raise FACESWAP_APP_MAX_MB",
            )
        return path

    def _check_pixels(self, path: Path, width: int, height: int) -> None:
        if width * height > self.pixels:
            raise MediaTooLarge(
                f"{path.name} has {width} x {height} pixels, the limit is {self.pixels / 1e6:g} million",
                "shrink it, or raise FACESWAP_APP_MAX_PIXELS",
            )
