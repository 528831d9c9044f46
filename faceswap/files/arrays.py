"""Arrays of a stored file, whose size is found out before any memory is taken.

Files of a registry come from elsewhere. A header of a few bytes can claim terabytes, so what a file claims is held
against what it holds before arrays are made.
"""

import math
import zipfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def read_arrays(source: IO[bytes], most: int) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` whose headers claim no more than their members hold.

    Args:
        source: of the file.
        most: bytes that all arrays may take.

    Raises:
        ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile: it is damaged, too large, or holds objects.
    """
    with zipfile.ZipFile(source) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > most:
            raise ValueError(f"its arrays take more than {most / 1e6:.0f} MB")
        for member in members:
            with archive.open(member) as file:
                _check_header(file, member)
    source.seek(0)
    with np.load(source, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _check_header(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    header = np.lib.format
    version = header.read_magic(file)
    read = header.read_array_header_1_0 if version == (1, 0) else header.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{member.filename} holds objects")
    if math.prod(shape) * dtype.itemsize > member.file_size - file.tell():
        raise ValueError(f"{member.filename} claims the shape {shape}, which is more than it holds")
