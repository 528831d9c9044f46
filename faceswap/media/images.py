"""Pictures in and out: RGB, upright, with limits that are checked before anything is decoded."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceswap.errors import MediaError
from faceswap.files.atomic import replacing
from faceswap.files.disk import explained
from faceswap.media.pictures import Picture, Still, laid_into, read_first
from faceswap.provenance.content_credentials import sign_bytes, sign_file
from faceswap.provenance.declaring import declared
from faceswap.provenance.metadata import JPEG_SUFFIXES, LABELLED_SUFFIXES, Provenance, image_options

__all__ = ["data_uri", "encoded", "read_image", "write_encoded", "write_image", "write_picture"]

Pixels = NDArray[np.uint8]
_WRITTEN = LABELLED_SUFFIXES | {".bmp"}
_MOVING, _CLEAR = frozenset({".png", ".webp", ".avif"}), _WRITTEN - JPEG_SUFFIXES - {".bmp"}
"""Suffixes of formats that hold an animation, and transparency."""
_PAGES = frozenset({".tif", ".tiff"})


def read_image(path: Path, max_pixels: int | None = None) -> Pixels:
    """Read a picture upright; of several frames or pages the first.

    Args:
        path: of any format in :mod:`faceswap.media.formats`.
        max_pixels: largest number of pixels; default from the settings. Checked before decoding.

    Returns:
        (H, W, 3) uint8 sRGB: EXIF orientation and colour profile applied, transparency laid on white, grey and 16 bit
        converted. A damaged profile is ignored.

    Raises:
        UnreadableMedia: corrupt, truncated, empty, or not a picture.
        MediaTooLarge: more pixels than the limit.
    """
    return read_first(path, max_pixels).image


def write_image(path: Path, image: Pixels, *, metadata: Provenance | None = None, quality: int = 95) -> None:
    """Write a picture atomically, in the format of its suffix; a generated one is labelled, marked and signed.

    Args:
        path: .png, .jpg, .jpeg, .webp, .tif, .tiff, .avif (with metadata), .bmp (without).
        image: (H, W, 3) uint8 RGB, without label and mark.
        metadata: what the file says of its origin; None: the picture holds no generated face.
        quality: of JPEG, WebP and AVIF, 1..100; JPEG keeps full colour resolution.

    Raises:
        MediaError: the suffix is unknown, or can't carry the metadata.
        StorageError: it can't be written.
    """
    picture = Picture((Still(image),))
    write_picture(path, picture, [declared(image, metadata)], metadata=metadata, quality=quality)


def write_picture(
    path: Path,
    picture: Picture,
    images: Sequence[Pixels],
    *,
    metadata: Provenance | None = None,
    quality: int = 95,
    opaque: Sequence[NDArray[np.bool_]] | None = None,
    target: Path | None = None,
    sign: bool = True,
) -> list[str]:
    """Write a swapped picture atomically, with all that the format of its suffix holds of the original; it is signed.

    Label and mark are there already: the swapper put them in.

    Args:
        path, metadata, quality: as for :func:`write_image`.
        picture: the original.
        images: (H, W, 3) uint8 sRGB, its frames or pages, edited.
        target: the file that was edited, whose hash and credentials go into the result's; None: there is none.
        opaque: of each, (H, W) where the edit covers whatever was transparent, for instance a label.
        sign: off: :func:`write_encoded` signs it, elsewhere.

    Returns:
        sentences on what the format does not hold.

    Raises:
        MediaError, StorageError: as :func:`write_image`.
    """
    suffix = path.suffix.lower()
    _check(path, suffix, images, metadata)
    notes: list[str] = []
    stills = _stills(picture, suffix, notes)
    masks: Sequence[NDArray[np.bool_] | None] = opaque if opaque is not None else [None] * len(images)
    frames = [
        _as_written(laid_into(still, image, picture.keep.icc, mask), suffix, notes)
        for still, image, mask in zip(stills, images, masks, strict=False)
    ]
    if metadata and target:
        metadata = metadata.about_target(target)
    options = image_options(metadata, suffix, picture.keep, notes)
    if suffix in JPEG_SUFFIXES:
        options |= {"quality": quality, "subsampling": 0}
    elif suffix in {".webp", ".avif"}:
        options |= {"quality": quality}
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
        if suffix in _MOVING:
            options |= {"duration": [round(still.milliseconds) for still in stills], "loop": picture.loop}
    try:
        with explained(path), replacing(path) as part:
            frames[0].save(part, **options)
            if metadata and sign:
                sign_file(part, metadata, target, len(frames))
    except ValueError as error:  # the format's limits, 16,383 px of WebP for one
        raise MediaError(f"{path} can't hold this picture: {error}", "write .png") from error
    return list(dict.fromkeys(notes))


def write_encoded(path: Path, data: bytes, *, metadata: Provenance | None, target: Path) -> None:
    """Write a swapped picture that :func:`write_picture` made on another machine without signing it, and sign it.

    Args:
        path: as it was there, but for the folder.
        data: the file.
        metadata, target: as for :func:`write_picture`.

    Raises:
        StorageError: it can't be written.
    """
    with Image.open(io.BytesIO(data)) as image:
        frames = getattr(image, "n_frames", 1)
    with explained(path), replacing(path) as part:
        part.write_bytes(data)
        if metadata:
            sign_file(part, metadata.about_target(target), target, frames)


def _check(path: Path, suffix: str, images: Sequence[Pixels], metadata: Provenance | None) -> None:
    if suffix not in _WRITTEN:
        raise MediaError(f"{path} has no known picture suffix", f"use one of {', '.join(sorted(_WRITTEN))}")
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise MediaError(f"{path}: {image.shape} {image.dtype} is no (H, W, 3) uint8 picture")
    if metadata and suffix not in LABELLED_SUFFIXES:
        raise MediaError(f"A {suffix} file can't say that it is generated", "write .png, .jpg or .webp")


def _stills(picture: Picture, suffix: str, notes: list[str]) -> tuple[Still, ...]:
    """Those frames or pages that the format holds."""
    count = len(picture.stills)
    if count == 1 or suffix in (_MOVING if picture.animated else _PAGES):
        return picture.stills
    what, fix = ("frames", ".webp or .png") if picture.animated else ("pages", ".tif")
    notes.append(f"of its {count} {what} only the first is kept: {suffix} holds one; {fix} keeps all")
    return picture.stills[:1]


def _as_written(pixels: Pixels, suffix: str, notes: list[str]) -> Image.Image:
    image = Image.fromarray(pixels)
    if image.mode == "RGBA" and suffix not in _CLEAR:
        notes.append(f"its transparency became white: {suffix} holds none; .png or .webp keeps it")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image


def encoded(
    image: Pixels, suffix: str = ".jpg", *, metadata: Provenance | None = None, quality: int = 85
) -> bytes:
    """What a swapper made, (H, W, 3) uint8 RGB, as a file in memory: signed where it is generated.

    Args:
        suffix: .jpg or .png.
        metadata: what it says of its origin; None: it holds no generated face.
        quality: of JPEG.
    """
    buffer = io.BytesIO()
    options: dict[str, Any] = {"quality": quality} if suffix in JPEG_SUFFIXES else {}
    kind = "JPEG" if suffix in JPEG_SUFFIXES else "PNG"
    Image.fromarray(image).save(buffer, kind, **options, **image_options(metadata, suffix))
    data = buffer.getvalue()
    return sign_bytes(data, suffix, metadata) if metadata else data


def data_uri(image: Pixels, metadata: Provenance | None, quality: int = 88) -> str:
    """A JPEG as text that a page shows without a further file; a generated one is labelled, marked and signed.

    Args:
        image: (H, W, 3) uint8 RGB, without label and mark.
        metadata: as for :func:`encoded`.
        quality: of JPEG.
    """
    data = encoded(declared(image, metadata), metadata=metadata, quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
