"""Makes the folder that :mod:`tests.benchmarks.bench_gpu` needs on a machine with Python 3.12, JAX and no network.

``python -m tests.benchmarks.carry_gpu OUT [--face-sets FOLDER …]``: the package's source, Keras and what it needs as
wheels, and face sets (folders of face sets; without: three fictional people are drawn and extracted). There::

    sh OUT/bench.sh RESULTS
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from faceswap.faces.extraction.extractor import ExtractionOptions
from faceswap.faces.faceset import FaceSet
from faceswap.model.presets import preset
from faceswap.swap.masks.visibility import seen_in_crops
from tests.benchmarks.bench_bottleneck import face_sets
from tests.benchmarks.packed_faces import pack

_WHEELS = (
    "keras",
    "namex",
    "optree",
    "rich",
    "pydantic",
    "pydantic-core",
    "pydantic-settings",
    "annotated-types",
    "typing-inspection",
    "python-dotenv",
    "typing-extensions",
    "absl-py",
    "h5py",
    "packaging",
    "markdown-it-py",
    "mdurl",
    "pygments",
    "psutil",
    "filelock",
    "nvidia-ml-py",
)
"""All that the package's training, Keras and the measuring of the card import, but JAX, NumPy and OpenCV."""
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_CAST = ("emeric", "bram", "dora")
_SCRIPT = """#!/bin/sh
# Unpack the wheels (no pip is needed), then measure: results go to the folder that is named.
set -e
here=$(cd "$(dirname "$0")" && pwd)
site=$(mktemp -d)
python=${PYTHON:-python3}
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
for wheel in "$here"/wheels/*.whl; do "$python" -m zipfile -e "$wheel" "$site"; done
export PYTHONPATH="$here/source:$site" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE= KERAS_BACKEND=jax
cd "$here/source" && exec "$python" -m tests.benchmarks.bench_gpu --faces "$here/faces" --out "$out" "$@"
"""


def main() -> None:
    """Fill the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--face-sets", nargs="+", default=[], help="folders of face sets")
    parser.add_argument("--python", default="3.12", help="of the machine that measures")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "faces").mkdir(parents=True)
    _source(options.out / "source")
    _wheels(options.out / "wheels", options.python)
    with tempfile.TemporaryDirectory() as scratch:
        fitting = ExtractionOptions().fitting(preset("hd256").geometry)
        sets = [FaceSet.load(uri) for uri in options.face_sets] or face_sets(
            Path(scratch), list(_CAST), 12.0, fitting
        )
        for faces in sets:
            held = np.asarray(faces.rows["split"] == "heldout")
            images, marks = faces.images(), faces.landmarks()
            seen = seen_in_crops(images, marks)
            pack(options.out / "faces", faces.identity, images, marks, held, faces.geometry, seen)
    (options.out / "bench.sh").write_text(_SCRIPT)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    sys.stdout.write(f"{options.out}: {size / 2**20:.0f} MB\n")


def _source(folder: Path) -> None:
    root = Path(__file__).parents[2]
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "faceswap", folder / "faceswap", ignore=ignored)
    benchmarks = folder / "tests" / "benchmarks"
    benchmarks.mkdir(parents=True)
    for name in ("bench_gpu.py", "gpu_card.py", "packed_faces.py", "__init__.py"):
        shutil.copy(root / "tests" / "benchmarks" / name, benchmarks)
    (folder / "tests" / "__init__.py").touch()


def _wheels(folder: Path, python: str) -> None:
    root = Path(__file__).parents[2]
    extra = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["gpu"]
    pins = [*extra, *(root / "requirements.txt").read_text().splitlines()]
    words = [line.split()[0] for line in pins if "==" in line and not line.startswith(("#", " "))]
    pinned = {word.split("==")[0].lower(): word for word in words}
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    command = [
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        f"--python-version={python}",
        "--implementation=cp",
    ]
    names = [pinned[name] for name in _WHEELS]
    # an environment that uv made has no pip
    pip = [sys.executable, "-m", "pip"] if find_spec("pip") else ["uv", "tool", "run", "pip"]
    subprocess.run([*pip, *command, *platforms, "-d", str(folder), *names], check=True)


if __name__ == "__main__":
    main()
