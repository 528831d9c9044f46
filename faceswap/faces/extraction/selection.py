"""Which of the found faces make the set: identity, quality, near-duplicates, and the split. Every face is counted."""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.extraction.segments import Found
from faceswap.faces.geometry import Geometry
from faceswap.faces.identity import largest_cluster

HELD_OUT = 0.2
"""Share of the faces that training does not see."""
_GAP = 0.2
"""Seconds of video left out between training and held-out faces: neighbouring frames are near-duplicates."""
_GAP_FROM = 25
"""Fewer faces of a video are not thinned by the gap."""
_SAME_THUMB = 1.0
"""Mean difference of two small pictures, grey levels, up to which they are duplicates; not measured."""
_SAME_GROUP = 10
"""Bits of 64 in which the hashes of two photos of one group differ at most; not measured."""
Mask = NDArray[np.bool_]


def select(
    rows: pd.DataFrame, options: ExtractionOptions, photos: NDArray[np.float64] | None, found: Found
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Choose, split and count.

    Args:
        rows: all faces found.
        options: the thresholds.
        photos: (n, 128) embeddings of the person, or None.
        found: counts of frames and files so far, gets messages.

    Returns:
        the kept rows with ``embedding_distance`` and ``split``, and counts whose face reasons add up to "faces".
    """
    counts = {"frames": 0, "frames without a face": 0, "faces": 0, **found.counts}
    if rows.empty:
        return rows, counts
    rows = rows.sort_values(["source", "frame"], kind="stable").reset_index(drop=True)
    rows["embedding_distance"] = _distances(rows, options.identity_threshold, photos, found)
    person = (rows["embedding_distance"] <= options.identity_threshold).to_numpy()
    # one face per frame is the person: the nearest
    nearest = (
        rows["embedding_distance"].where(person).groupby([rows["source"], rows["frame"]]).transform("min")
    )
    steps: list[tuple[str, Mask]] = [
        ("other people", person & (rows["embedding_distance"] == nearest).to_numpy()),
        ("too small", (_height(rows, options.geometry) >= options.min_face).to_numpy()),
        ("turned too far", (rows["yaw"].abs() <= options.max_yaw).to_numpy()),
        ("blurred", (rows["sharpness"] >= options.min_sharpness).to_numpy()),
    ]
    alive = np.ones(len(rows), bool)
    for reason, passes in steps:
        counts[reason] = int((alive & ~passes).sum())
        alive &= passes
    fresh = _fresh(rows, alive, options.hash_distance)
    counts["near-duplicates"] = int((alive & ~fresh).sum())
    kept = rows[alive & fresh].reset_index(drop=True)
    if len(kept) > options.max_faces:
        counts["over the limit"] = len(kept) - options.max_faces
        chosen = np.linspace(0, len(kept) - 1, options.max_faces).astype(int)
        kept = kept.iloc[chosen].reset_index(drop=True)
    kept = kept.assign(split=_split(kept))
    between = _between(kept)
    counts["between the splits"] = int(between.sum())
    kept = kept[~between].reset_index(drop=True)
    counts["kept"] = len(kept)
    return kept, counts


def _height(rows: pd.DataFrame, geometry: Geometry) -> pd.Series:
    """Brows to lower lip, px of the frame: as high as the crop shows it, over the scale from frame to crop."""
    return geometry.unit / rows["scale"]


def _distances(
    rows: pd.DataFrame, threshold: float, photos: NDArray[np.float64] | None, found: Found
) -> NDArray[np.float64]:
    """Each face's distance to the person: of the nearest embedded face of its own track."""
    has = rows["embedding"].notna().to_numpy()
    embeddings = np.stack(rows["embedding"][has].to_list())
    if photos is not None:
        own = np.linalg.norm(embeddings[:, None] - photos[None], axis=-1).min(axis=1)
    else:
        weights = rows.groupby("track")["track"].transform("size")[has] / rows[has].groupby("track")[
            "track"
        ].transform("size")
        mask, second = largest_cluster(embeddings, weights.to_numpy(float))
        if second > 0.5:
            found.messages.append(
                f"A second person is seen {100 * second:.0f} % as often as the first: give --reference-photos"
            )
        own = np.linalg.norm(embeddings - embeddings[mask].mean(0), axis=1)
        own = np.where(mask, np.minimum(own, threshold), np.maximum(own, np.nextafter(threshold, 2)))
    distance = np.full(len(rows), np.inf)
    distance[has] = own
    for members in rows.groupby("track").indices.values():
        index = np.asarray(members)
        known = index[has[index]]
        if len(known):
            nearest = np.abs(rows["time"].to_numpy()[index][:, None] - rows["time"].to_numpy()[known]).argmin(
                axis=1
            )
            distance[index] = distance[known][nearest]
    return distance


def _fresh(rows: pd.DataFrame, alive: Mask, limit: int) -> Mask:
    """Which faces are no near-duplicates of an earlier one that is kept.

    Both must agree: the hashes in all but a few bits, and the thumbnails within a grey level on average. The hash
    alone would drop most of a talking head, whose neighbouring frames differ only at the mouth.
    """
    fresh = alive.copy()
    if limit < 0:
        return fresh
    hashes = np.array([int(h, 16) for h in rows["phash"]], np.uint64)
    thumbs = np.stack([np.frombuffer(bytes.fromhex(t), np.uint8) for t in rows["thumb"]]).astype(np.int16)
    kept: list[int] = []
    for index in np.flatnonzero(alive):
        near = np.array(kept, int)
        near = near[np.bitwise_count(hashes[near] ^ hashes[index]) <= limit]
        if len(near) and (np.abs(thumbs[near] - thumbs[index]).mean(axis=1) <= _SAME_THUMB).any():
            fresh[index] = False
        else:
            kept.append(int(index))
    return fresh


def _split(kept: pd.DataFrame) -> list[str]:
    """Videos: the last fifth in time is held out. Photos: about a fifth, whole groups of look-alikes."""
    split = np.full(len(kept), "train", dtype=object)
    video = (kept.groupby("source")["source"].transform("size") > 1).to_numpy()  # photos keep one face each
    for members in kept[video].groupby("source").indices.values():
        rows = np.flatnonzero(video)[np.asarray(members)]
        split[rows[len(rows) - max(1, round(HELD_OUT * len(rows))) :]] = "heldout"
    photos = np.flatnonzero(~video)
    hashes = kept["phash"].iloc[photos].to_list()
    for group in _held_out(_groups(hashes), hashes):
        split[photos[group]] = "heldout"
    return split.tolist()


def _held_out(groups: list[list[int]], hashes: list[str]) -> list[list[int]]:
    """Groups that hold about a fifth of the photos, chosen by hash: the same photos give the same choice."""
    wanted, taken = round(HELD_OUT * len(hashes)), 0
    if not wanted:
        return []
    if len(groups) == 1:  # all alike: a clean split is impossible, a late part is better than none
        return [groups[0][-wanted:]]
    found = []
    for group in sorted(groups, key=lambda g: hashlib.sha256(hashes[g[0]].encode()).hexdigest()):
        if taken + len(group) <= wanted:
            found.append(group)
            taken += len(group)
    return found or [min(groups, key=len)]


def _between(kept: pd.DataFrame) -> Mask:
    """Training faces of a video just before its held-out part."""
    held = kept["split"] == "heldout"
    first = kept["time"].where(held).groupby(kept["source"]).transform("min")
    many = kept.groupby("source")["source"].transform("size") >= _GAP_FROM
    return (many & ~held & (kept["time"] > first - _GAP)).to_numpy(bool)


def _groups(hashes: list[str]) -> list[list[int]]:
    """Indices in groups whose hashes differ from one member in few bits."""
    values = np.array([int(h, 16) for h in hashes], np.uint64)
    groups: list[list[int]] = []
    for index, value in enumerate(values):
        home = next((g for g in groups if np.bitwise_count(values[g] ^ value).min() <= _SAME_GROUP), None)
        if home is None:
            groups.append([index])
        else:
            home.append(index)
    return groups
