"""Face sets: aligned crops of one identity with their manifest, immutable, known by their digest.

``<root>/<identity>/<digest[:16]>/`` holds ``manifest.parquet`` (a row per face), ``crops/00000001.jpg`` … and
``faceset.json``, which is written last: who sees it sees all.
"""

import hashlib
import io
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from faceswap import storage
from faceswap.errors import FaceSetError, StorageError, UnfinishedSet, UnreadableMedia
from faceswap.faces.finding.finder_names import Detector
from faceswap.faces.geometry import Geometry, Points, apply, invert
from faceswap.files.home_paths import local_path, moved_below
from faceswap.media.images import read_image
from faceswap.provenance.consent.record import Consent
from faceswap.settings import settings

Split = Literal["train", "heldout"]
logger = logging.getLogger(__name__)
HEADER = "faceset.json"


@dataclass(frozen=True, eq=False)
class FaceSet:
    """One identity's faces.

    Attributes:
        identity: who it is.
        digest: sha256 over consent, manifest and crops.
        uri: folder or s3:// prefix.
        folder: the local copy.
        geometry: of the crops, with margin.
        consent: what allows the use.
        rows: the manifest.
        report: counts by reason and messages of the extraction.
        detector: what found the faces.
    """

    identity: str
    digest: str
    uri: str
    folder: Path
    geometry: Geometry
    consent: Consent | None
    rows: pd.DataFrame
    report: dict[str, Any]
    detector: Detector = "hog"

    @classmethod
    def load(cls, uri: str, verify: bool = True) -> "FaceSet":
        """Open a face set; from S3 it is downloaded once.

        Raises:
            FaceSetError: it is missing or damaged.
        """
        try:
            folder = storage.fetch_folder(uri, settings().cache_path / "face-sets", marker=HEADER)
        except UnfinishedSet as error:
            raise FaceSetError(
                f"{uri} is no face set ({HEADER} is missing)",
                "name a folder that `faceswap preprocess` has printed; wait for one that is still being made",
            ) from error
        try:
            header = json.loads((folder / HEADER).read_bytes())
            rows = pd.read_parquet(folder / "manifest.parquet")
            consent = Consent.model_validate(header["consent"]) if header["consent"] else None
            found = cls(
                header["identity"],
                header["digest"],
                uri,
                folder,
                Geometry.from_dict(header["geometry"]),
                consent,
                rows,
                header["report"],
                header.get("options", {}).get("detector", "hog"),
            )
        except FileNotFoundError as error:
            raise FaceSetError(
                f"{uri} is no face set ({Path(error.filename).name} is missing)",
                "name a folder that `faceswap preprocess` has printed",
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
            raise FaceSetError(
                f"The face set {uri} is damaged: {error}", "delete it and preprocess again"
            ) from error
        if verify and digest_of(folder, consent) != found.digest:
            raise FaceSetError(
                f"The face set {uri} was changed after it was made", "delete it and preprocess again"
            )
        return found

    def _of(self, split: Split | str | None) -> pd.DataFrame:
        if split not in {None, "train", "heldout"}:
            raise FaceSetError(f"There is no split {split!r}", "use train or heldout")
        return self.rows if split is None else self.rows[self.rows["split"] == split]

    def count(self, split: str | None = None) -> int:
        """Number of faces."""
        return len(self._of(split))

    def images(self, split: str | None = None, rows: NDArray[np.integer] | None = None) -> NDArray[np.uint8]:
        """(n, S, S, 3) uint8 RGB crops in the manifest's order: by source and time.

        Args:
            split: train or heldout; None: both.
            rows: which of them; None: all.
        """
        side = self.geometry.size
        names = self._of(split)["crop"]
        names = names if rows is None else names.iloc[rows]
        found = np.empty((len(names), side, side, 3), np.uint8)
        for index, name in enumerate(names):
            found[index] = self.image(name)
        return found

    def image(self, crop: str) -> NDArray[np.uint8]:
        """One (S, S, 3) uint8 RGB crop, by its name in the manifest.

        Raises:
            FaceSetError: it is damaged or missing.
        """
        side = self.geometry.size
        try:
            found = read_image(self.folder / "crops" / crop)
        except (UnreadableMedia, OSError) as error:
            raise FaceSetError(
                f"The crop {crop} of {self.uri} is damaged: {error}", "delete it and preprocess again"
            ) from error
        if found.shape != (side, side, 3):
            raise FaceSetError(
                f"The crop {crop} of {self.uri} is {found.shape[1]} x {found.shape[0]} px, not {side}",
                "delete the set and preprocess again",
            )
        return found

    def landmarks(self, split: str | None = None) -> Points:
        """(n, 68, 2) float64 landmarks in the crops' own pixels."""
        rows = self._of(split)
        found = [
            apply(np.reshape(matrix, (2, 3)), np.reshape(marks, (68, 2)))
            for matrix, marks in zip(rows["matrix"], rows["landmarks"], strict=True)
        ]
        return np.stack(found) if found else np.empty((0, 68, 2))

    def in_frame(self, split: str | None = None) -> NDArray[np.bool_]:
        """(n, S, S): where the crops show the frame; elsewhere they repeat its border.

        Sets that were made before the frames' sizes were stored can't tell: all True.
        """
        rows, side = self._of(split), self.geometry.size
        found = np.ones((len(rows), side, side), bool)
        if "frame_width" not in rows:
            return found
        axis = np.arange(side, dtype=np.float64)
        pixels = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        sizes = rows[["frame_width", "frame_height"]].to_numpy(np.float64)
        for index, (matrix, size) in enumerate(zip(rows["matrix"], sizes, strict=True)):
            places = apply(invert(np.reshape(matrix, (2, 3))), pixels)
            found[index] = ((places > -0.5) & (places < size - 0.5)).all(axis=1).reshape(side, side)
        return found

    def embeddings(self, split: str | None = None) -> NDArray[np.float64]:
        """(m, 128) of the faces that were embedded themselves (a video's faces are embedded by track)."""
        found = [e for e in self._of(split)["embedding"] if e is not None]
        return np.stack(found).astype(np.float64) if found else np.empty((0, 128))

    @cached_property
    def mean_embedding(self) -> NDArray[np.float64]:
        """(128,): the identity, for distances.

        Raises:
            FaceSetError: no face of the set was embedded.
        """
        found = self.embeddings()
        if not len(found):
            raise FaceSetError(f"No face of {self.uri} has an embedding", "delete it and preprocess again")
        return found.mean(axis=0)


def digest_of(folder: Path, consent: Consent | None) -> str:
    """sha256 over the consent, the manifest and all crops in order."""
    digest = hashlib.sha256(consent.model_dump_json().encode() if consent else b"")
    files = [folder / "manifest.parquet", *sorted((folder / "crops").iterdir())]
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def write_header(folder: Path, header: dict[str, Any]) -> None:
    """Write ``faceset.json``: the last file of a set."""
    part = folder / f".{HEADER}"
    part.write_text(json.dumps(header, indent=1, sort_keys=True))
    part.replace(folder / HEADER)


def write_manifest(folder: Path, rows: pd.DataFrame) -> None:
    """Write ``manifest.parquet``."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    (folder / "manifest.parquet").write_bytes(buffer.getvalue())


def find_headers(root: str, identity: str) -> list[tuple[str, dict[str, Any]]]:
    """(uri, header) of all finished face sets of an identity under a root, the newest first.

    A header that can't be read is passed over with a warning.
    """
    place = storage.join(root, identity)
    names = storage.list_files(place)  # where the store does not answer, that is no answer either
    found = []
    for name in names:
        if name.endswith("/" + HEADER) and not name.startswith("."):
            uri = storage.join(place, name.removesuffix("/" + HEADER))
            try:
                header = json.loads(storage.read_bytes(storage.join(uri, HEADER)))
                if not isinstance(header, dict) or not isinstance(header.get("digest"), str):
                    raise ValueError("it is no header of a face set")
            except (StorageError, ValueError) as error:
                logger.warning(
                    "The face set %s is passed over, its %s can't be read: %s", uri, HEADER, _why(error)
                )
                continue
            found.append((uri, header))
    return sorted(found, key=lambda entry: str(entry[1].get("created", "")), reverse=True)


def _why(error: Exception) -> str:
    return error.message if isinstance(error, StorageError) else str(error)


def newest(root: str, identity: str, fingerprint: str | None = None) -> FaceSet | None:
    """The newest face set of an identity that is whole, or None; damaged ones are passed over with a warning.

    Args:
        root: of the face sets.
        identity: its name.
        fingerprint: of the input that it shall be made of; None: of any.
    """
    for uri, header in find_headers(root, identity):
        if fingerprint is not None and header.get("fingerprint") != fingerprint:
            continue
        try:
            return FaceSet.load(uri)
        except FaceSetError as error:
            logger.warning("%s; it is passed over", error.message)
    return None


def present(spec: str, root: str) -> str:
    """A face set's place as it is now: one whose home was moved is looked for below the present home."""
    path = local_path(spec)
    if path is None or not path.is_absolute() or path.exists() or storage.is_s3(root):
        return spec
    here = moved_below(path, Path(root))
    return spec if here is None else str(here)


def known_identities() -> list[str]:
    """Whose face sets there are, by name, under the settings' folder or prefix.

    Raises:
        StorageError: it can't be read.
    """
    names = (
        name.split("/") for name in storage.list_files(settings().face_sets_root) if name.endswith(HEADER)
    )
    return sorted({parts[0] for parts in names if len(parts) == 3})


def find(spec: str) -> FaceSet:
    """The face set that a folder, an s3:// prefix or an identity's name (then its newest whole one) means.

    Raises:
        FaceSetError: there is none.
    """
    root = settings().face_sets_root
    spec = present(spec, root)
    if storage.is_s3(spec) or storage.exists(storage.join(spec, HEADER)):
        return FaceSet.load(spec)
    if "/" not in spec and (found := newest(root, spec)) is not None:
        return found
    raise FaceSetError(
        f"{spec!r} is neither a face set nor an identity with face sets under {root}",
        "make one with `faceswap preprocess`, or name its folder",
    )
