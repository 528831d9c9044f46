"""Where a run came from: what its tags say of the code and the machine."""

import getpass
import os
import platform
import socket
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import faceswap


def environment() -> dict[str, str]:
    """Where a run came from: code revision, versions, machine."""
    return {
        "faceswap.version": faceswap.__version__,
        "git.revision": _git_revision(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "faceswap.by": user(),
        **_versions("keras", "tensorflow", "mlflow", "opencv-python-headless"),
    }


def user() -> str:
    """Who works here: the name with which MLflow is told, else the user of this machine; and the machine."""
    try:
        name = os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"


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
