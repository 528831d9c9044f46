"""Which backend and which preset a machine gets; nothing is imported to find out."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from faceswap import backend


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Sets up a machine with a driver or not, and with these modules installed."""

    def made(driver: bool, *modules: str) -> None:
        driver_file = tmp_path / "version"
        if driver:
            driver_file.touch()
        monkeypatch.setattr(backend, "_DRIVER", (driver_file,))
        monkeypatch.setattr(backend, "find_spec", lambda n: ModuleSpec(n, None) if n in modules else None)
        for name in ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"):
            monkeypatch.setenv(name, "")  # so that what is set in the test is taken back
            monkeypatch.delenv(name)
        monkeypatch.delitem(backend.sys.modules, "keras", raising=False)
        backend.trains_on_gpu.cache_clear()

    yield made
    backend.trains_on_gpu.cache_clear()


@pytest.mark.parametrize(
    ("driver", "modules", "expected", "preset"),
    [
        (True, ("tensorflow", "jax", "jax_cuda13_plugin"), "jax", "hd256"),
        (True, ("tensorflow", "jax"), None, "lite"),
        (False, ("tensorflow", "jax", "jax_cuda13_plugin"), None, "lite"),
        (False, ("jax",), "jax", "lite"),
    ],
)
def test_the_backend_and_the_preset_of_a_machine(  # type: ignore[no-untyped-def]
    machine, driver: bool, modules: tuple[str, ...], expected: str | None, preset: str
) -> None:
    machine(driver, *modules)
    backend.choose()
    assert backend.os.environ.get("KERAS_BACKEND") == expected
    assert backend.os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert backend.preset_here() == preset
    assert backend.preset_here(4) == preset
    assert backend.preset_here(15) == {"lite": "hd128"}.get(preset, preset)


@pytest.mark.parametrize(
    ("name", "value"),
    [("KERAS_BACKEND", "tensorflow"), ("CUDA_VISIBLE_DEVICES", ""), ("JAX_PLATFORMS", "cpu")],
)
def test_the_environment_decides(  # type: ignore[no-untyped-def]
    machine, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    machine(True, "tensorflow", "jax", "jax_cuda13_plugin")
    monkeypatch.setenv(name, value)
    backend.trains_on_gpu.cache_clear()
    assert backend.preset_here() == "lite"
    backend.choose()
    assert backend.os.environ.get("KERAS_BACKEND") in {None, "tensorflow"}
