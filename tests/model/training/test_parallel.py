"""One training on two devices is that on one: the same losses and the same weights, on two virtual devices of a CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from faceswap.errors import SettingsError
from faceswap.model.training.engines.parallel import spread_over
from tests.model.training.tiny import TINY, Notes, trainer, weights


def train(folder: Path, devices: int, pairs: str) -> None:
    """Write the losses and the weights of a training of eight steps; the last three are the finish."""
    folder.mkdir()
    notes = Notes()
    one = trainer(folder / "work", notes, steps=8, devices=devices, pairs=pairs)
    held_by = len(one.model.encoder.weights[0].value.devices())
    one.train()
    np.savez(folder / "weights.npz", *weights(one))
    told = {"losses": notes.losses, "held by": held_by}
    (folder / "told.json").write_text(json.dumps(told))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each way of making pairs and each number of devices; one process, since JAX takes long to start."""
    folder = tmp_path_factory.mktemp("parallel")
    flags = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    environment |= {"JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.model.training.test_parallel", str(folder)],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("pairs", ["device", "host"])
def test_two_devices_train_what_one_trains(trained: Path, pairs: str) -> None:
    one, two = (json.loads((trained / f"{pairs}-{n}" / "told.json").read_text()) for n in (1, 2))
    assert (one["held by"], two["held by"]) == (1, 2)
    assert list(one["losses"]) == list(two["losses"])
    assert len(one["losses"]) == 8
    np.testing.assert_allclose(list(two["losses"].values()), list(one["losses"].values()), rtol=1e-3)
    with (
        np.load(trained / f"{pairs}-1" / "weights.npz") as ours,
        np.load(trained / f"{pairs}-2" / "weights.npz") as theirs,
    ):
        for name in ours.files:
            np.testing.assert_allclose(theirs[name], ours[name], atol=1e-3)  # one step of Adam


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the others refuse")
def test_other_backends_refuse_in_words() -> None:
    with pytest.raises(SettingsError, match="on JAX only"):
        spread_over(2, TINY)


@pytest.mark.parametrize(("devices", "said"), [(3, "3 devices are asked for, and 2"), (2, "3 pairs")])
def test_what_can_not_be_shared_out_is_said(monkeypatch: pytest.MonkeyPatch, devices: int, said: str) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1"])
    with pytest.raises(SettingsError, match=said):
        spread_over(devices, TINY.with_(batch_size=3))


if __name__ == "__main__":
    for how in ("device", "host"):
        for count in (1, 2):
            train(Path(sys.argv[1]) / f"{how}-{count}", count, how)
