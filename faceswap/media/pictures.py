"""A picture with all that its file holds: frames or pages, transparency, colour profile, and what it says besides.

The swap sees RGB, upright, on white. What comes back is laid into the picture's own pixels: those that were not changed
stay as they were stored, to the bit, in their own colour profile and with their own transparency.
"""

import io
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from faceswap.errors import MediaTooLarge
from faceswap.media.formats import opened
from faceswap.provenance.carried import NOTHING, Carried, carried
from faceswap.settings import settings

Pixels = NDArray[np.uint8]
_SRGB = ImageCms.createProfile("sRGB")
_FAINT = 10
"""Grey levels: the mark of :mod:`faceswap.provenance.watermark` changes pixels by less."""
_UNSAID = 100
"""Milliseconds for which browsers show an animation's frame of which the file says nothing."""


@dataclass(frozen=True)
class Still:
    """One frame or page.

    Attributes:
        image: (H, W, 3) uint8 sRGB, upright, on white: what is looked at and edited.
        stored: (H, W, 3) uint8 RGB in the file's own profile, not laid on white; None: the same as ``image``.
        alpha: (H, W) uint8; None: opaque.
        milliseconds: how long it is shown; 0 in what is no animation.
    """

    image: Pixels
    stored: Pixels | None = None
    alpha: Pixels | None = None
    milliseconds: float = 0.0


@dataclass(frozen=True)
class Picture:
    """What a picture's file holds.

    Attributes:
        stills: frames of an animation, pages of a document, or the one picture.
        loop: how often an animation is shown, 0: without end.
        keep: what the file says besides.
        notes: what was damaged, or is not kept whatever the result's format, in sentences.
    """

    stills: tuple[Still, ...]
    loop: int = 0
    keep: Carried = NOTHING
    notes: tuple[str, ...] = ()

    @property
    def animated(self) -> bool:
        """Whether its frames follow each other in time."""
        return len(self.stills) > 1 and any(still.milliseconds for still in self.stills)


def read_first(path: Path, max_pixels: int | None = None) -> Still:
    """The first frame or page of a picture, without what its file says besides.

    Raises:
        UnreadableMedia, MediaTooLarge: as :func:`read_picture`.
    """
    with opened(path, max_pixels) as (image, _):
        return _still(image, _Reading(), timed=False)


@dataclass
class _Reading:
    """What is found while one file is read."""

    notes: list[str] = field(default_factory=list)
    profile: bytes | None = None


def read_picture(path: Path, max_pixels: int | None = None, first_only: bool = False) -> Picture:
    """Read a picture with all that its file holds.

    Args:
        path: of any format in :mod:`faceswap.media.formats`.
        max_pixels: largest number of pixels, of all frames together; default from the settings. Checked first.
        first_only: of several frames or pages.

    Raises:
        UnreadableMedia: corrupt, truncated, empty, or not a picture.
        MediaTooLarge: more pixels than the limit.
    """
    limit = max_pixels or settings().max_pixels
    with opened(path, limit) as (image, damage):
        keep, lost = carried(image)
        reading = _Reading([*damage, *lost])
        count = _frames_of(image, reading)
        first = 1 if count > 1 and not first_only and getattr(image, "default_image", False) else 0
        timed = count > 1 and not first_only and image.format in _TIMED
        if first_only and count > 1:
            reading.notes.append(f"of its {count} frames or pages only the first was taken")
        count = min(count, first + 1) if first_only else count
        if count * image.width * image.height > limit:
            raise MediaTooLarge(
                f"{path} has {count} frames of {image.width} x {image.height} pixels, the limit is {limit:,} pixels",
                "convert it to a video, shrink it, or raise FACESWAP_MAX_PIXELS",
            )
        _note_depth(image, path, reading)
        stills = []
        for number in range(first, count):
            if count > 1:
                image.seek(number)
            stills.append(_still(image, reading, timed))
        loop = image.info.get("loop", 1)
        return Picture(
            tuple(stills),
            loop if isinstance(loop, int) else 0,
            replace(keep, icc=reading.profile),
            tuple(dict.fromkeys(reading.notes)),
        )


_TIMED = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats whose further frames are an animation."""
_PAGED = {"TIFF"}


def _frames_of(image: Image.Image, reading: _Reading) -> int:
    count = int(getattr(image, "n_frames", 1) or 1)
    if count > 1 and image.format not in _TIMED | _PAGED:
        # a preview, a depth map, the layers of a drawing
        rest = (
            "a further picture in the file is"
            if count == 2
            else f"{count - 1} further pictures in the file are"
        )
        reading.notes.append(f"{rest} not kept")
        return 1
    return count


def _note_depth(image: Image.Image, path: Path, reading: _Reading) -> None:
    bits = 8
    if image.mode.startswith("I"):
        bits = 16
    elif image.format == "PNG":
        with path.open("rb") as file:
            bits = file.read(25)[24]
    elif image.format == "HEIF":
        bits = int(image.info.get("bit_depth", 8))
    elif image.format == "TIFF":
        found = getattr(image, "tag_v2", {}).get(258, (8,))
        bits = max(found) if isinstance(found, tuple) else int(found)
    if bits > 8:
        reading.notes.append(f"its {bits} bits a channel became 8")


def _still(image: Image.Image, reading: _Reading, timed: bool) -> Still:
    shown: float = 0.0
    image.load()  # WebP and AVIF know a frame's time then
    if timed:
        duration = image.info.get("duration", 0)
        shown = float(duration) if isinstance(duration, int | float) and duration > 0 else _UNSAID
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # of damaged EXIF Pillow raises almost anything
        reading.notes.append("its EXIF data are damaged: it was taken as it is stored")
        upright = image.copy()
    return replace(_pixels(upright, reading), milliseconds=shown)


def _pixels(image: Image.Image, reading: _Reading) -> Still:
    if image.mode == "F":
        raise ValueError("pixels in floating point have no agreed range")
    if image.mode.startswith("I"):
        grey = np.asarray(image)
        deep = image.mode != "I" or grey.max() > 255  # Pillow would clip 16 bit, not scale it
        levels = (np.rint(grey / 257) if deep else grey).clip(0, 255).astype(np.uint8)
        return Still(np.repeat(levels[..., None], 3, axis=2))
    clear = image.has_transparency_data
    if image.mode == "CMYK":
        reading.notes.append("it is meant for print (CMYK), the result is sRGB")
    native = image.convert("RGBA" if clear else "RGB") if image.mode in {"P", "PA", "RGB", "RGBA"} else image
    shown, own = _in_srgb(native, reading)
    shown = shown.convert("RGBA" if clear else "RGB")
    stored = np.array(native.convert("RGB"), np.uint8) if own else None
    if not clear:
        return Still(np.array(shown, np.uint8), stored)
    layer = np.array(shown, np.uint8)
    alpha = layer[..., 3].copy()
    if alpha.min() == 255:
        return Still(layer[..., :3].copy(), stored)
    white = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    stored = stored if stored is not None else layer[..., :3].copy()
    return Still(np.array(white.convert("RGB"), np.uint8), stored, alpha)


def _in_srgb(image: Image.Image, reading: _Reading) -> tuple[Image.Image, bool]:
    """Colours as the picture's own profile means them, and whether the result can have that profile, too."""
    if not (icc := image.info.get("icc_profile")):
        return image, False
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            reading.profile = icc if image.mode in {"RGB", "RGBA"} else None
            return image, False
        alpha = image.mode in {"RGBA", "LA"}
        converted = ImageCms.profileToProfile(
            image, profile, _SRGB, outputMode=image.mode if alpha else "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        reading.notes.append("its colour profile is damaged and was passed over")
        return image, False
    if converted is None:
        return image, False
    if image.mode in {"RGB", "RGBA"} and _into(icc) is not None:
        reading.profile = icc
        return converted, True
    if image.mode != "CMYK":
        reading.notes.append("its colour profile became sRGB")
    return converted, False


def _into(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """From sRGB into a profile; None where it only works the other way."""
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return ImageCms.buildTransform(_SRGB, ImageCms.ImageCmsProfile(io.BytesIO(icc)), "RGB", "RGB")
    return None


def laid_into(
    still: Still, image: Pixels, icc: bytes | None, opaque: NDArray[np.bool_] | None = None
) -> Pixels:
    """An edited picture as it is stored.

    Args:
        still: as it was read.
        image: (H, W, 3) uint8 sRGB, edited.
        icc: its own profile, if the result has that.
        opaque: (H, W) where the edit covers whatever was transparent, for instance a label.

    Returns:
        (H, W, 3 or 4) uint8: where nothing was edited as it was stored; elsewhere in the profile, and as transparent
        as it was, or less so where what was edited could not be shown otherwise.
    """
    changed = (image != still.image).any(axis=2)
    edited = image
    alpha = still.alpha
    if alpha is not None:
        # what is clear stays so under the mark of generated pictures, which is all over
        faint = np.abs(image.astype(np.int16) - still.image).max(axis=2) <= _FAINT
        changed &= ~(faint & (alpha == 0))
        # on white, a pixel c of opacity a is a f + (1 - a) 255; f within 0..255 needs a of at least 1 - min(c) / 255
        least = 255 - image.min(axis=2)
        alpha = np.where(changed, np.maximum(alpha, least), alpha)
        if opaque is not None:
            alpha = np.where(opaque, 255, alpha)
            changed = changed | opaque
        share = np.maximum(alpha, 1)[..., None] / 255.0
        edited = np.rint((image - (1 - share) * 255) / share).clip(0, 255).astype(np.uint8)
    if still.stored is not None and icc is not None and (transform := _into(icc)) is not None:
        moved = ImageCms.applyTransform(Image.fromarray(edited), transform)
        edited = np.array(moved, np.uint8) if moved is not None else edited
    if still.stored is not None:
        edited = np.where(changed[..., None], edited, still.stored)
    return edited if alpha is None else np.dstack([edited, alpha.astype(np.uint8)])
