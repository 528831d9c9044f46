"""The GPU's benchmark runs where nothing is but JAX, NumPy and OpenCV, and the wheels that are carried."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np

from tests.benchmarks import carry_gpu
from tests.benchmarks.packed_faces import PackedFaces, pack, seen_of
from tests.model.fakes import FakeFaces

THERE = {"jax", "jaxlib", "numpy", "ml_dtypes", "opt_einsum", "scipy", "cv2"}
"""What the machine itself has."""
NAMES = {
    "absl-py": "absl",
    "markdown-it-py": "markdown_it",
    "python-dotenv": "dotenv",
    "nvidia-ml-py": "pynvml",
}
"""Modules that are not called as their wheels are."""
ALONE = """
    import json, sys
    from importlib.machinery import PathFinder
    from pathlib import Path

    class Bare(PathFinder):
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            first = name.partition(".")[0]
            known = first in KNOWN or first in sys.stdlib_module_names or first.startswith("_")
            return super().find_spec(name, path, target) if known else None

    part, faces, out, KNOWN = json.loads(sys.argv[1])
    sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
    from tests.benchmarks import bench_gpu
    print(json.dumps(bench_gpu.measure(part, Path(faces), Path(out))))
"""


def test_it_needs_what_is_carried_and_nothing_else(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        faces = FakeFaces(name, (200, 120, 90))
        held = np.arange(len(faces.images())) % 5 == 4
        pack(tmp_path, name, faces.images(), faces.landmarks(), held, faces.geometry)
    known = {NAMES.get(name, name.replace("-", "_")) for name in carry_gpu._WHEELS}
    part = {"kind": "both", "preset": "lite", "people": 2, "seconds": 0.1, "steps": 2, "write": True}
    part["changes"] = {
        "size": 48,
        "code_grid": 6,
        "code_columns": 4,
        "encoder_filters": [8, 8],
        "bottleneck": 16,
        "code_filters": 8,
        "decoder_filters": [8, 8],
        "residual": [0, 0],
        "batch_size": 2,
        "prior": "",
    }
    given = json.dumps([part, str(tmp_path), str(tmp_path), sorted(known | THERE | {"faceswap", "tests"})])
    home = {"FACESWAP_HOME": str(tmp_path / "home"), "KERAS_BACKEND": "jax"}
    quick = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ALONE), given],
        cwd=Path(__file__).parents[1],
        env=os.environ | home | quick,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["images_per_s"] > 0
    assert found["heldout_mae"] < 1
    assert {file.name for file in tmp_path.glob("*coder*.npz")} == {"encoder.npz", "decoders.npz"}
    assert any((tmp_path / "home" / "cache" / "xla").iterdir())  # what was compiled is kept


def test_what_hides_a_face_is_carried_along(tmp_path: Path) -> None:
    faces = FakeFaces("ann", (200, 120, 90))
    images = faces.images()
    held = np.arange(len(images)) % 5 == 4
    seen = np.ones(images.shape[:3], np.float32)
    seen[:, : images.shape[1] // 2, : images.shape[2] // 2] = 0
    packed = PackedFaces(pack(tmp_path, "ann", images, faces.landmarks(), held, faces.geometry, seen))
    crops = packed.images("train")
    found = seen_of({"ann": packed})(crops, packed.landmarks("train"))
    assert found.shape == crops.shape[:3]
    assert np.abs(found - seen[~held]).mean() < 0.02
