"""How much memory a stored network asks for, found out before any of it is taken.

Files of a registry come from elsewhere. A description of a few bytes can claim a layer of terabytes, so what a file
claims is held against what it holds before layers are made.
"""

import io
import json
import math
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import IO

_MOST_CONFIG = 8 << 20
"""Bytes of a model's description; those of the presets take 30 KB."""
_WEIGHTS = "model.weights.h5"


def check_keras_file(file: IO[bytes]) -> None:
    """Make sure that the layers which a ``.keras`` file describes are no larger than the weights that it holds.

    The layers are built from their description without memory for their weights.

    Raises:
        ValueError, KeyError, OSError, zipfile.BadZipFile: it is damaged, or claims more than it holds.
    """
    import keras  # some seconds, and who reads arrays alone does without

    with zipfile.ZipFile(file) as archive:
        held = archive.getinfo(_WEIGHTS).file_size
        if archive.getinfo("config.json").file_size > _MOST_CONFIG:
            raise ValueError("its description is too long")
        config = json.load(io.TextIOWrapper(archive.open("config.json"), "utf-8"))

    def claimed_bytes() -> int:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        return sum(math.prod(variable.shape) * 4 for variable in model.variables)

    # Keras keeps such variables in a list of the thread, and gives them memory when a model is built there next.
    with ThreadPoolExecutor(1, "check") as thread:
        claimed = thread.submit(claimed_bytes).result()
    if claimed > held:
        raise ValueError(
            f"its layers take {claimed / 1e6:,.0f} MB, but it holds weights of {held / 1e6:,.1f} MB"
        )
