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


@pytest.mark.parametrize(
    ("name", "modules", "preset"),
    [
        ("tensorflow", ("tensorflow", "nvidia.cuda_runtime"), "hd256"),
        ("tensorflow", ("tensorflow", "jax", "jax_cuda13_plugin"), "lite"),
        ("torch", ("torch",), "lite"),
    ],
)
def test_a_backend_that_is_named_trains_on_the_gpu_where_its_cuda_is_there(  # type: ignore[no-untyped-def]
    machine, monkeypatch: pytest.MonkeyPatch, name: str, modules: tuple[str, ...], preset: str
) -> None:
    machine(True, *modules)
    monkeypatch.setenv("KERAS_BACKEND", name)
    backend.trains_on_gpu.cache_clear()
    assert backend.preset_here() == preset
    backend.choose()
    assert backend.os.environ["KERAS_BACKEND"] == name


def test_pytorchs_cuda_is_a_library_beside_it(  # type: ignore[no-untyped-def]
    machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine(True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libtorch_cuda.so").touch()
    spec = ModuleSpec("torch", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(backend, "find_spec", lambda name: spec if name == "torch" else None)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    backend.trains_on_gpu.cache_clear()
    assert backend.preset_here() == "hd256"


def test_a_package_that_is_in_none_is_not_installed() -> None:
    assert not backend._installed("no_such_package.of_cuda")
