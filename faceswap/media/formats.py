"""Which picture files are read, and how they are opened although they are a little damaged.

Pillow reads them, HEIC with libheif (pillow-heif). Formats that run other programs (EPS, PDF, WMF) are left out.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageFile

from faceswap.errors import FaceswapError, MediaTooLarge, UnreadableMedia
from faceswap.settings import settings

_FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif", ".hif"),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "TGA": (".tga",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "QOI": (".qoi",),
    "PSD": (".psd",),
}
"""What Pillow calls a format, and its suffixes; a file's content decides, whatever it is called."""
IMAGE_SUFFIXES = frozenset(suffix for suffixes in _FORMATS.values() for suffix in suffixes)
_MOST_MISSING = 0.25
"""Share of the rows that a JPEG may lack at its end: a note says so, with more it is refused."""
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_LONG_TEXT = 200_000
"""Bytes of a PNG's text that are passed over where Pillow refuses the file: no author or copyright is so long."""
# The limits are ours; Pillow's own would only warn.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # damage is told in notes
Image.init()
pillow_heif.register_heif_opener()


@contextmanager
def opened(path: Path, max_pixels: int | None = None) -> Iterator[tuple[Image.Image, list[str]]]:
    """Open a picture; its pixels are decoded (of several frames those of the first).

    Args:
        path: of any format that is read.
        max_pixels: largest number of pixels; default from the settings. Checked before decoding.

    Yields:
        the picture as it is stored, and sentences on what is damaged.

    Raises:
        UnreadableMedia: corrupt, truncated, empty, or not a picture. Also for what Pillow raises in the block.
        MediaTooLarge: more pixels than the limit.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # libraries switch it on for the whole process
    try:
        with _loaded(path, max_pixels or settings().max_pixels) as (image, notes):
            yield image, notes
    except FaceswapError:
        raise
    except FileNotFoundError as error:
        raise UnreadableMedia(f"There is no file {path}") from error
    except Exception as error:  # of damaged files Pillow raises almost anything
        raise UnreadableMedia(
            f"{path} can't be read as a picture: {_in_words(error, path)}",
            "see whether another program opens it, or remove it",
        ) from error


@contextmanager
def _loaded(path: Path, limit: int) -> Iterator[tuple[Image.Image, list[str]]]:
    notes: list[str] = []
    image: Image.Image
    try:
        image = Image.open(path, formats=list(_FORMATS))
    except ValueError as error:
        image = Image.open(_without_long_texts(path, notes, error), formats=["PNG"])
    with image:
        if image.width * image.height > limit:
            raise MediaTooLarge(
                f"{path} has {image.width} x {image.height} pixels, the limit is {limit:,}",
                "shrink it or raise FACESWAP_MAX_PIXELS",
            )
        try:
            image.load()
        except ValueError as error:  # the long text of a PNG lies behind its pixels
            image = Image.open(_without_long_texts(path, notes, error), formats=["PNG"])
            image.load()
        except OSError as error:
            image = _whole_jpeg(path, image, notes, error)
        yield image, notes


def _whole_jpeg(path: Path, image: Image.Image, notes: list[str], error: OSError) -> Image.Image:
    """A JPEG that was cut off, with its end mark: what lacks is grey then.

    Raises:
        UnreadableMedia: more lacks than may.
        OSError: ``error``, it is no JPEG; or it is damaged otherwise.
    """
    if image.format not in {"JPEG", "MPO"}:
        raise error
    mended = Image.open(io.BytesIO(path.read_bytes() + b"\xff\xd9"), formats=["JPEG"])
    mended.load()
    pixels = np.asarray(mended)
    flat = (pixels == pixels[:, :1]).reshape(len(pixels), -1).all(axis=1)
    lacking = len(flat) - 1 - int(np.flatnonzero(~flat).max(initial=-1))
    if lacking > _MOST_MISSING * len(flat):
        raise UnreadableMedia(
            f"{path} is cut off, the lower {100 * lacking / len(flat):.0f} % of the picture are missing",
            "copy or download it again",
        )
    what = f"its lower {lacking} rows are grey" if lacking else "a few pixels may be grey"
    notes.append(f"the end of the file is missing: {what}")
    return mended


def _without_long_texts(path: Path, notes: list[str], error: ValueError) -> io.BytesIO:
    """A PNG without its long texts.

    Raises:
        ValueError: ``error``, it has none, or is no PNG.
    """
    data = path.read_bytes()
    if not data.startswith(_PNG):
        raise error
    chunks = list(_chunks(data, len(_PNG)))
    kept = [c for kind, c in chunks if kind not in _TEXTS or _text_size(kind, c) <= _LONG_TEXT]
    if len(kept) == len(chunks):
        raise error
    notes.append("a long text in the file was passed over")
    return io.BytesIO(b"".join([_PNG, *kept]))


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole chunk) of a PNG's chunks."""
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length


def _text_size(kind: bytes, chunk: bytes) -> int:
    """Bytes of a text; a compressed one may become a thousand times as long."""
    return len(chunk) * (1 if kind == b"tEXt" else 1000)


def _in_words(error: Exception, path: Path) -> str:
    if path.exists() and not path.stat().st_size:
        return "it is empty"
    text = str(error)
    if text.startswith("cannot identify image file"):
        return "it is none, or of a format that is not read"
    return text or type(error).__name__
