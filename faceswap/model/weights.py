"""Weights that come with the package or that a user made anew: arrays and a line of JSON about their origin.

``.npz`` files: nothing in them is run when they are read.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import TrainingError
from faceswap.files.atomic import replacing_for_user
from faceswap.settings import settings

_ABOUT = "about"
_PACKAGED = Path(__file__).with_name("priors")
Arrays = dict[str, NDArray[Any]]


def made_at(name: str) -> Path:
    """Where a command of the package writes weights of that name, and where they are looked for first."""
    return settings().home_path / "priors" / f"{name}.npz"


def find(name: str) -> Path | None:
    """The weights of that name: those under the home folder if there are any, else the package's; None: neither."""
    for file in (made_at(name), _PACKAGED / f"{name}.npz"):
        if file.exists():
            return file
    return None


def write(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    """Write atomically; returns the file's digest.

    Args:
        path: ``.npz``.
        arrays: by name.
        about: origin, as JSON.

    Raises:
        StorageError: the folder can't be written.
    """
    again = "give the same command again"
    with replacing_for_user(path, "The weights", again) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays, **{_ABOUT: np.array(json.dumps(about))})  # type: ignore[arg-type]
    return digest(path)


def read(path: Path, remedy: str) -> Arrays:
    """The arrays by name.

    Raises:
        TrainingError: the file is damaged; ``remedy`` says what to do.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files if key != _ABOUT}
    except Exception as error:  # a broken zip file raises anything, down to struct.error and MemoryError
        raise TrainingError(f"The weights {path} can't be read: {error}", remedy) from error


def about(path: Path) -> dict[str, Any]:
    """What the file says of its origin."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(json.loads(str(stored[_ABOUT])))


def digest(path: Path) -> str:
    """sha256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
