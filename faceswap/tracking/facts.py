"""Where a run came from: what its tags say of the code and the machine."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import faceswap
from faceswap.provenance.audit import who


def environment() -> dict[str, str]:
    """Where a run came from: code revision, versions, machine."""
    return {
        "faceswap.version": faceswap.__version__,
        "git.revision": _git_revision(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "faceswap.by": who(),
        **_versions("keras", "tensorflow", "tensorflow-cpu", "mlflow", "opencv-python-headless"),
    }


def _versions(*packages: str) -> dict[str, str]:
    """Of those that are installed: what serves has no TensorFlow."""
    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _git_revision() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
