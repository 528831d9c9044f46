"""What a stored file claims is held against what it holds, before memory is taken."""

import io
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from faceswap.errors import RegistryError
from faceswap.files.arrays import read_arrays
from faceswap.inference.code_range import CodeRange
from faceswap.model.sizes import check_keras_file


def _npz(shape: tuple[int, ...], data: bytes) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("mean.npy", header.getvalue() + data)
    return memory.getvalue()


def test_an_array_is_no_larger_than_what_the_file_holds() -> None:
    assert read_arrays(io.BytesIO(_npz((2,), bytes(8))), 1000)["mean"].tolist() == [0, 0]
    for shape, data in (((10**12,), b""), ((3,), bytes(8)), ((2**40, 2**40), bytes(8))):
        with pytest.raises(ValueError, match="more than it holds"):
            read_arrays(io.BytesIO(_npz(shape, data)), 10_000)
    with pytest.raises(ValueError, match="take more than"):
        read_arrays(io.BytesIO(_npz((1000,), bytes(4000))), 1000)
    for text in ("", "!", "AAAA", "UEsDBA=="):
        with pytest.raises(RegistryError, match="can't be read"):
            CodeRange.unpack(text)


def test_a_layer_is_no_larger_than_the_weights_in_the_file(tmp_path: Path) -> None:
    whole = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    whole.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with (tmp_path / "whole.keras").open("rb") as file:
        check_keras_file(file)
    huge = files["config.json"].replace(b'"units": 3', b'"units": 900000000000')
    assert huge != files["config.json"]
    with zipfile.ZipFile(tmp_path / "huge.keras", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, huge if name == "config.json" else data)
    with (tmp_path / "huge.keras").open("rb") as file, pytest.raises(ValueError, match="its layers take"):
        check_keras_file(file)

    # nothing of it is left behind that the next network would take memory for
    class Doubled(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    keras.Sequential([keras.Input((4,)), Doubled(), keras.layers.Dense(3)])
