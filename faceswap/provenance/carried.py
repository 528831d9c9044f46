"""What a picture's file says besides its pixels, carried from the target into the result.

Camera, author, copyright, place, resolution, captions, ratings: EXIF, PNG's texts, XMP. Not carried are what describes
the old pixels: orientation, thumbnails, sizes, previews.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from PIL import ExifTags, Image, IptcImagePlugin

_EXIF, _GPS = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
_BASE, _XMP_KEY = ExifTags.Base, "XML:com.adobe.xmp"
_CARRIED = {
    *(_BASE.ImageDescription, _BASE.Make, _BASE.Model, _BASE.Software, _BASE.DateTime, _BASE.Artist),
    *(_BASE.Copyright, _BASE.XResolution, _BASE.YResolution, _BASE.ResolutionUnit, _BASE.HostComputer),
    *(_BASE.Rating, _BASE.RatingPercent, _BASE.XPTitle, _BASE.XPComment, _BASE.XPAuthor, _BASE.XPKeywords),
    *(_BASE.XPSubject, 33432, 50708, 42080),
}
"""Tags of EXIF's first directory that say something of the picture rather than of its pixels or the file."""
_OF_THE_FILE = {_BASE.ExifInteroperabilityOffset, _BASE.ExifImageWidth, _BASE.ExifImageHeight}
_MOST_EXIF, _MOST_TEXT, _MOST_XMP = 60_000, 20_000, 40_000
"""Bytes: a JPEG segment holds 65,533, and the record of origin shall have its place."""
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OURS = re.compile(
    r"\{(urn:faceswap:provenance:1|http://ns\.adobe\.com/tiff/1\.0/)\}|\}DigitalSourceType$|\}Thumbnails$"
)
"""What a new record replaces in XMP, and what describes the old pixels (tiff:Orientation)."""
_TEXT_TAGS = {"Author": _BASE.Artist, "Copyright": _BASE.Copyright, "Software": _BASE.Software}


@dataclass(frozen=True)
class Carried:
    """What goes along with a picture.

    Attributes:
        exif: tags of the first directory.
        camera, place: tags of the directories Exif and GPS.
        texts: of PNG; ``Comment`` also of JPEG and GIF.
        xmp: rdf:Description elements, as XML.
        dpi: horizontal and vertical.
        icc: profile of the pixels.
    """

    exif: dict[int, Any] = field(default_factory=dict)
    camera: dict[int, Any] = field(default_factory=dict)
    place: dict[int, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    xmp: str = ""
    dpi: tuple[float, float] | None = None
    icc: bytes | None = None

    def to_exif(self) -> Image.Exif:
        """As EXIF, ``dpi`` included; PNG's author and copyright where EXIF has none."""
        exif = Image.Exif()
        for tag, value in self.exif.items():
            exif[tag] = value
        for key, tag in _TEXT_TAGS.items():
            if key in self.texts and tag not in exif:
                exif[tag] = self.texts[key]
        if self.dpi is not None:
            exif[_BASE.XResolution], exif[_BASE.YResolution], exif[_BASE.ResolutionUnit] = *self.dpi, 2
        exif.get_ifd(_EXIF).update(self.camera)
        if self.place:
            exif.get_ifd(_GPS).update(self.place)
        return exif

    def unwritten_texts(self) -> list[str]:
        """Keys of the texts that only PNG holds."""
        return sorted(key for key in self.texts if key not in {*_TEXT_TAGS, "Comment", "Description"})


NOTHING = Carried()


def carried(image: Image.Image) -> tuple[Carried, list[str]]:
    """What an opened picture's file says, and sentences on what can't be kept; never raises for damage."""
    notes: list[str] = []
    base, camera, place = _exif_of(image, notes)
    dpi = image.info.get("dpi")
    if not (isinstance(dpi, tuple) and len(dpi) == 2 and all(1 < _number(value) < 1e5 for value in dpi)):
        dpi = None
    icc = image.info.get("icc_profile")
    if image.format in {"JPEG", "MPO", "TIFF"} and _has_iptc(image):
        notes.append("its IPTC block (captions of picture agencies) is not kept")
    return Carried(
        base,
        camera,
        place,
        _texts_of(image, notes),
        _xmp_of(image, notes),
        (_number(dpi[0]), _number(dpi[1])) if dpi else None,
        icc if isinstance(icc, bytes) and icc else None,
    ), notes


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _exif_of(image: Image.Image, notes: list[str]) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    try:
        exif = image.getexif()
        base = {tag: value for tag, value in exif.items() if tag in _CARRIED}
        camera = {k: v for k, v in exif.get_ifd(_EXIF).items() if k not in _OF_THE_FILE}
        place = dict(exif.get_ifd(_GPS))
    except Exception:  # of damaged EXIF Pillow raises almost anything
        notes.append("its EXIF data are damaged and not kept")
        return {}, {}, {}
    lost = 0
    for entries, directory in ((base, None), (camera, _EXIF), (place, _GPS)):
        for tag in [tag for tag, value in entries.items() if not _writable(directory, tag, value)]:
            del entries[tag]
            lost += 1
    if lost:
        notes.append(f"{lost} of its EXIF data are damaged or too large and not kept")
    return base, camera, place


def _writable(directory: int | None, tag: int, value: object) -> bool:
    exif = Image.Exif()
    try:
        if directory is None:
            exif[tag] = value
        else:
            exif.get_ifd(directory)[tag] = value
        return len(exif.tobytes()) < _MOST_EXIF // 2
    except Exception:  # of odd values Pillow raises almost anything
        return False


def _has_iptc(image: Any) -> bool:
    try:
        return bool(IptcImagePlugin.getiptcinfo(image))
    except Exception:  # damaged, so that there is nothing to keep
        return False


def _texts_of(image: Image.Image, notes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if image.format == "PNG":
        found |= {k: str(v) for k, v in getattr(image, "text", {}).items()}
    elif isinstance(comment := image.info.get("comment"), bytes):
        found["Comment"] = comment.rstrip(b"\0").decode("utf-8", "replace")
    ours = {"faceswap", _XMP_KEY}
    found = {
        key: value
        for key, value in found.items()
        if key not in ours and not key.startswith("Raw profile type") and not (_is_ours(key, value))
    }
    long = [key for key, value in found.items() if len(value) > _MOST_TEXT]
    if long:
        notes.append(f"its long texts are not kept: {', '.join(map(repr, long))}")
    return {key: value for key, value in found.items() if key not in long and 0 < len(key) < 80}


def _is_ours(key: str, value: str) -> bool:
    """The sentence of an earlier swap."""
    return key == "Description" and value.startswith("Generated by faceswap ")


def _xmp_of(image: Image.Image, notes: list[str]) -> str:
    packet = image.info.get("xmp") or image.info.get(_XMP_KEY) or b""
    data = packet if isinstance(packet, bytes) else str(packet).encode("utf-8", "replace")
    if not data.strip(b"\0 \n"):
        return ""
    try:
        if b"<!" in data.split(b"<rdf:RDF", 1)[0] or len(data) > 1_000_000:
            raise ValueError("a document type, or too long")
        root = ElementTree.fromstring(data.strip(b"\0"))
        text = "".join(_kept_descriptions(root))
    except Exception:  # ParseError, and what damaged text gives
        notes.append("its XMP data are damaged and not kept")
        return ""
    if len(text) > _MOST_XMP:
        notes.append("its XMP data (edits, rating) are too long and not kept")
        return ""
    return text


def _kept_descriptions(root: ElementTree.Element) -> list[str]:
    found = []
    for description in root.iter(f"{{{_RDF}}}Description"):
        if f"{{{_RDF}}}about" not in description.attrib and description is not root:
            continue  # nested ones are parts of others
        for name in [name for name in description.attrib if _OURS.search(name)]:
            del description.attrib[name]
        generated = description.find("{urn:faceswap:provenance:1}record") is not None
        for child in list(description):
            if _OURS.search(child.tag) or (generated and child.tag.endswith("/dc/elements/1.1/}description")):
                description.remove(child)
        if len(description) or len(description.attrib) > 1:
            description.tail = None
            found.append(ElementTree.tostring(description, encoding="unicode"))
    return found
