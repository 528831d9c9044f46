"""ONNX Runtime's official builds report every model they load to their maker, unless they are told not to."""

import os
import subprocess
import sys
from pathlib import Path

import faceswap

CODE = """
import sys
if "faceswap" in sys.argv: import faceswap
import onnxruntime
onnxruntime.InferenceSession(sys.argv[1])
"""


def said(*words: str) -> str:
    """What a session says where the reports' number can't be kept: it says so as soon as reports are on."""
    network = str(Path(faceswap.__file__).with_name("model") / "priors" / "segmentation.onnx")
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    nowhere = {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/none", "XDG_DATA_HOME": "/proc/none"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, network, *words],
        env=kept | nowhere,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_nothing_is_reported() -> None:
    assert "telemetry" in said()  # so this test would notice
    assert "telemetry" not in said("faceswap")
