"""Which devices train in mixed bfloat16: those that multiply it natively."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import pytest

from faceswap.errors import TrainingError
from faceswap.model import device as module


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    module.device.cache_clear()
    yield
    module.device.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, backend: str, **content: Any) -> None:
    """Keras on that backend, whose package is a fake."""
    fake = ModuleType(backend)
    vars(fake).update(content)
    monkeypatch.setitem(sys.modules, backend, fake)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)


def tensorflow_with(details: dict[str, Any] | None) -> SimpleNamespace:
    gpus = [] if details is None else ["GPU:0"]
    return SimpleNamespace(
        list_physical_devices=lambda kind: gpus,
        experimental=SimpleNamespace(get_device_details=lambda gpu: details),
    )


GPUS = [
    ("Tesla V100", (7, 0), "float32"),
    ("Tesla T4", (7, 5), "float32"),
    ("A100", (8, 0), "mixed_bfloat16"),
    ("GeForce RTX 3060", (8, 6), "mixed_bfloat16"),
    ("L4", (8, 9), "mixed_bfloat16"),
    ("H100", (9, 0), "mixed_bfloat16"),
    ("B200", (10, 0), "mixed_bfloat16"),
]


@pytest.mark.parametrize(("name", "capability", "dtype"), GPUS)
def test_nvidia_gpus(
    monkeypatch: pytest.MonkeyPatch, name: str, capability: tuple[int, int], dtype: str
) -> None:
    use(
        monkeypatch,
        "tensorflow",
        config=tensorflow_with({"device_name": name, "compute_capability": capability}),
    )
    found = module.device()
    assert (found.name, found.accelerated, found.dtype) == (name, True, dtype)

    module.device.cache_clear()
    one = SimpleNamespace(platform="gpu", device_kind=name, compute_capability="{}.{}".format(*capability))
    use(monkeypatch, "jax", default_backend=lambda: "gpu", devices=lambda: [one])
    found = module.device()
    assert (found.name, found.accelerated, found.dtype) == (name, True, dtype)


@pytest.mark.parametrize("native", [True, False])
def test_torch_knows_by_itself(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    def is_supported(including_emulation: bool = True) -> bool:
        return including_emulation or native

    cuda = SimpleNamespace(
        is_available=lambda: True, get_device_name=lambda index: "GPU", is_bf16_supported=is_supported
    )
    use(monkeypatch, "torch", cuda=cuda)
    assert module.device().bfloat16 is native


def test_a_gpu_of_which_nothing_is_known_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "tensorflow", config=tensorflow_with({}))
    assert str(module.device()) == "GPU (tensorflow, float32)"


@pytest.mark.parametrize(("kind", "bfloat16"), [("tpu", True), ("gpu", False)])
def test_jax_devices_without_a_compute_capability(
    monkeypatch: pytest.MonkeyPatch, kind: str, bfloat16: bool
) -> None:
    one = SimpleNamespace(platform=kind, device_kind="some", compute_capability="gfx906")
    use(monkeypatch, "jax", default_backend=lambda: kind, devices=lambda: [one])
    found = module.device()
    assert (found.accelerated, found.bfloat16) == (True, bfloat16)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize("native", [True, False])
def test_without_a_gpu_or_its_libraries_the_cpu_is_said(
    monkeypatch: pytest.MonkeyPatch, backend: str, native: bool
) -> None:
    use(
        monkeypatch,
        backend,
        config=tensorflow_with(None),
        default_backend=lambda: "cpu",
        cuda=SimpleNamespace(is_available=lambda: False),
    )
    monkeypatch.setattr(module, "_cpu_has_bfloat16", lambda: native)
    found = module.device()
    assert found.name.startswith("CPU")
    assert (found.accelerated, found.bfloat16) == (False, native)


@pytest.mark.parametrize("seen", [False, True])
def test_keras_is_not_imported_to_find_that_there_is_no_accelerator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seen: bool
) -> None:
    for name in ("keras", "tensorflow", "jax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    monkeypatch.setattr(module, "_may_have_accelerator", lambda: seen)
    monkeypatch.setattr(module, "_jax_gpu", lambda: ("H100", True))
    found = module.device()
    assert (found.backend, found.accelerated) == ("jax", seen)
    assert not {"keras", "tensorflow", "jax"} & set(sys.modules)
    module.device.cache_clear()
    (tmp_path / "keras.json").unlink()
    monkeypatch.setattr(module, "_tensorflow_gpu", lambda: None)
    assert module.device().backend == "tensorflow"


def test_what_jax_only_logs_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def falls_back() -> str:
        try:
            raise RuntimeError("Unable to load cuDNN. Is it installed?")
        except RuntimeError:
            logging.getLogger("jax._src.xla_bridge").exception("Jax plugin configuration error")
        return "cpu"

    monkeypatch.setattr(module, "_heard", [])
    use(monkeypatch, "jax", default_backend=falls_back, devices=no_cuda)
    monkeypatch.setattr(module.backend, "trains_on_gpu", lambda: True)
    assert module.idle_gpu().endswith("Unable to load cuDNN. Is it installed?")
    assert not caplog.records  # no traceback beside it


def no_cuda(kind: str) -> None:
    raise RuntimeError("Backend 'cuda' failed to initialize: the driver is too old.\nMore of it")


def test_a_gpu_that_does_not_train_is_said_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "jax", default_backend=lambda: "cpu", devices=no_cuda)
    monkeypatch.setattr(module.backend, "trains_on_gpu", lambda: True)
    said = module.idle_gpu()
    assert said.startswith("The GPU of this machine can't be used, and the CPU")
    assert said.endswith("'cuda' failed to initialize: the driver is too old")
    monkeypatch.setattr(module.backend, "trains_on_gpu", lambda: False)
    assert module.idle_gpu() == ""


def test_a_gpu_that_trains_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    one = SimpleNamespace(platform="gpu", device_kind="H100", compute_capability="9.0")
    use(monkeypatch, "jax", default_backend=lambda: "gpu", devices=lambda: [one])
    monkeypatch.setattr(module.backend, "trains_on_gpu", lambda: True)
    assert module.idle_gpu() == ""


def test_a_device_that_is_asked_for_and_missing_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise RuntimeError("Unable to initialize backend 'cuda'")

    use(monkeypatch, "jax", default_backend=missing)
    with pytest.raises(TrainingError, match="JAX_PLATFORMS names: Unable to initialize"):
        module.device()
