"""Pictures in and out: RGB, upright, with limits that are checked before anything is decoded."""

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps

from faceswap.errors import MediaError, MediaTooLarge, StorageError, UnreadableMedia
from faceswap.files import replacing
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
        (H, W, 3) uint8 sRGB: EXIF orientation and colour profile applied, transparency laid on white, grey and 16 bit
        converted. A damaged profile is ignored.

    Raises:
        UnreadableMedia: corrupt, truncated, empty, or not a picture.
        MediaTooLarge: more pixels than the limit.
    """
    limit = max_pixels or settings().max_pixels
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # libraries switch it on for the whole process
    try:
        with Image.open(path) as image:
            if image.width * image.height <= limit:
                return _to_rgb(ImageOps.exif_transpose(image))
            size = f"{image.width} x {image.height}"
    except FileNotFoundError as error:
        raise UnreadableMedia(f"There is no file {path}") from error
    except Exception as error:  # of damaged files Pillow raises almost anything
        raise UnreadableMedia(
            f"{path} can't be read as a picture: {error}",
            "see whether another program opens it, or remove it",
        ) from error
    raise MediaTooLarge(
        f"{path} has {size} pixels, the limit is {limit:,}", "shrink it or raise FACESWAP_MAX_PIXELS"
    )


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode == "F":
        raise ValueError("pixels in floating point have no agreed range")
    grey = np.asarray(image) if image.mode.startswith("I") else None
    if grey is not None and (image.mode != "I" or grey.max() > 255):  # Pillow would clip 16 bit, not scale it
        return np.repeat(np.rint(grey / 257).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    image = _in_srgb(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return np.array(image.convert("RGB"), np.uint8)


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as the picture's own profile means them, Display P3 of telephones for one."""
    if not (icc := image.info.get("icc_profile")):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return image
        clear = image.has_transparency_data
        if clear or image.mode == "P":
            image = image.convert("RGBA" if clear else "RGB")
        converted = ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode=image.mode if clear else "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image


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
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise MediaError(f"{path}: {image.shape} {image.dtype} is no (H, W, 3) uint8 picture")
    if metadata and suffix not in {".png", ".jpg", ".jpeg", ".webp"}:
        raise MediaError(f"A {suffix} file can't say that it is generated", "write .png, .jpg or .webp")
    options = image_options(metadata, suffix) if metadata else {}
    if suffix in {".jpg", ".jpeg"}:
        options |= {"quality": quality, "subsampling": 0}
    elif suffix == ".webp":
        options |= {"quality": quality}
    try:
        with replacing(path) as part:
            Image.fromarray(image).save(part, **options)
    except ValueError as error:  # the format's limits, 16,383 px of WebP for one
        raise MediaError(f"{path} can't hold this picture: {error}", "write .png") from error
    except OSError as error:
        raise StorageError(
            f"{path} can't be written: {error}", "check the folder and the space on the disk"
        ) from error


def jpeg_bytes(image: NDArray[np.uint8], quality: int = 85) -> bytes:
    """A picture, (H, W, 3) uint8 RGB, as JPEG in memory: for previews that are never a file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def data_uri(image: NDArray[np.uint8], quality: int = 88) -> str:
    """:func:`jpeg_bytes` as text that a page shows without a further file: a ``data:`` URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg_bytes(image, quality)).decode()
