"""Pictures in and out: RGB, upright, with limits that are checked before anything is decoded."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from faceswap.errors import MediaError, MediaTooLarge, StorageError, UnreadableMedia
from faceswap.provenance.metadata import Provenance, image_options
from faceswap.settings import settings

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
# The limit below is ours; Pillow's own would only warn.
Image.MAX_IMAGE_PIXELS = None


def read_image(path: Path, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """Read a picture upright.

    Args:
        path: JPEG, PNG, WebP, BMP or TIFF.
        max_pixels: largest number of pixels; default from the settings. Checked before decoding.

    Returns:
        (H, W, 3) uint8 RGB: EXIF orientation applied, transparency laid on white, grey and 16 bit converted.

    Raises:
        UnreadableMedia: corrupt, truncated, empty, or not a picture.
        MediaTooLarge: more pixels than the limit.
    """
    limit = max_pixels or settings().max_pixels
    try:
        with Image.open(path) as image:
            if image.width * image.height > limit:
                raise MediaTooLarge(
                    f"{path} has {image.width} x {image.height} pixels, the limit is {limit:,}",
                    "shrink it or raise FACESWAP_MAX_PIXELS",
                )
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError as error:
        raise UnreadableMedia(f"There is no file {path}") from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, MemoryError) as error:
        raise UnreadableMedia(f"{path} can't be read as a picture: {error}") from error


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bit grey: Pillow would clip instead of scale
        grey = (np.asarray(image, np.float64) / 257).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return np.asarray(image.convert("RGB"), np.uint8)


def write_image(
    path: Path, image: NDArray[np.uint8], *, metadata: Provenance | None = None, quality: int = 95
) -> None:
    """Write a picture atomically, in the format of its suffix.

    Args:
        path: .png, .jpg, .jpeg, .webp (with metadata), .bmp, .tif (without).
        image: (H, W, 3) uint8 RGB.
        metadata: what the file says of its origin.
        quality: of JPEG and WebP, 1..100; JPEG keeps full colour resolution.

    Raises:
        MediaError: the suffix is unknown, or can't carry the metadata.
        StorageError: it can't be written.
    """
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise MediaError(
            f"{path} has no known picture suffix", f"use one of {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    if metadata and suffix not in {".png", ".jpg", ".jpeg", ".webp"}:
        raise MediaError(f"A {suffix} file can't say that it is generated", "write .png, .jpg or .webp")
    options = image_options(metadata, suffix) if metadata else {}
    if suffix in {".jpg", ".jpeg"}:
        options |= {"quality": quality, "subsampling": 0}
    elif suffix == ".webp":
        options |= {"quality": quality}
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(part, **options)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"{path} can't be written: {error}", "check the folder and the space on the disk"
        ) from error
