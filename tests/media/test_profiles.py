"""Pictures with a colour profile, made here as ICC.1 says, against the formulas of the colour spaces."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceswap.media.images import read_image

# columns: red, green, blue as XYZ under D50, as the published profiles have them
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
GAMMA = 563 / 256
COLOURS = np.array([[200, 120, 100], [90, 60, 40], [128, 128, 128], [20, 200, 60], [255, 255, 255]], np.uint8)


def profile() -> bytes:
    """Display P3 with a plain gamma: a matrix profile of version 2."""

    def xyz(values: NDArray[np.float64]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    name = b"Wide\0"
    curve = b"curv" + bytes(4) + struct.pack(">IH2x", 1, round(GAMMA * 256))
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(79)}
    tags |= {b"cprt": b"text" + bytes(8), b"wtpt": xyz(np.array([0.9642, 1.0, 0.8249]))}
    tags |= {b"%cXYZ" % c: xyz(P3[:, i]) for i, c in enumerate(b"rgb")}
    tags |= {b"%cTRC" % c: curve for c in b"rgb"}
    table, body = struct.pack(">I", len(tags)), b""
    for key, value in tags.items():
        table += key + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4xI4s4s4s", 128 + len(table + body), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def expected() -> NDArray[np.float64]:
    """The colours in sRGB (IEC 61966-2-1)."""
    linear = np.linalg.solve(SRGB, P3 @ ((COLOURS / 255).T ** GAMMA)).T.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_wide_colours_become_srgb(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(COLOURS[None])
    image = image.quantize() if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.png", icc_profile=profile())
    found = read_image(tmp_path / "a.png")[0]
    np.testing.assert_allclose(found, expected(), atol=1.5)
    assert np.abs(found.astype(int) - COLOURS).max() > 10, "the profile says something"


def test_what_is_clear_stays_clear_under_a_profile(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 4), np.uint8)).save(tmp_path / "a.png", icc_profile=profile())
    assert (read_image(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "of print"])
def test_a_damaged_profile_is_ignored(tmp_path: Path, damage: str) -> None:
    whole = profile()
    icc = {
        "cut": whole[:200],
        "text": b"no profile",
        "empty": b"\0" * 200,
        "of print": whole.replace(b"RGB ", b"CMYK"),
    }
    Image.fromarray(COLOURS[None]).save(tmp_path / "a.png", icc_profile=icc[damage])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], COLOURS)
