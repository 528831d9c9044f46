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
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from faceswap.faces.extraction.extractor import ExtractionOptions
from faceswap.faces.faceset import FaceSet
from faceswap.model.presets import preset
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
)
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_CAST = ("emeric", "bram", "dora")
_SCRIPT = """#!/bin/sh
# Install the wheels beside, then measure: results go to the folder that is named.
here=$(cd "$(dirname "$0")" && pwd)
python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/site "$here"/wheels/*.whl
export PYTHONPATH="$here/source:/tmp/site" PYTHONUNBUFFERED=1 KERAS_BACKEND=jax
cd "$here/source" && exec python3 -m tests.benchmarks.bench_gpu --faces "$here/faces" --out "$@"
"""


def main() -> None:
    """Fill the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--face-sets", nargs="+", default=[], help="folders of face sets")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "faces").mkdir(parents=True)
    _source(options.out / "source")
    _wheels(options.out / "wheels")
    with tempfile.TemporaryDirectory() as scratch:
        fitting = ExtractionOptions().fitting(preset("hd256").geometry)
        sets = [FaceSet.load(uri) for uri in options.face_sets] or face_sets(
            Path(scratch), list(_CAST), 12.0, fitting
        )
        for faces in sets:
            held = np.asarray(faces.rows["split"] == "heldout")
            pack(
                options.out / "faces", faces.identity, faces.images(), faces.landmarks(), held, faces.geometry
            )
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


def _wheels(folder: Path) -> None:
    pins = (Path(__file__).parents[2] / "requirements.txt").read_text().split()
    pinned = {word.split("==")[0]: word for word in pins if "==" in word}
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    command = [
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version=3.12",
        "--implementation=cp",
    ]
    names = [pinned[name] for name in _WHEELS]
    # an environment that uv made has no pip
    pip = [sys.executable, "-m", "pip"] if find_spec("pip") else ["uv", "tool", "run", "pip"]
    subprocess.run([*pip, *command, *platforms, "-d", str(folder), *names], check=True)


if __name__ == "__main__":
    main()
