"""What the doctor says of an installation."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from faceswap import backend
from faceswap.inference import onnx_graph
from faceswap.model import device
from faceswap.model.device import Device
from faceswap.process import cards
from infra import doctor


@pytest.mark.parametrize(
    ("may_write", "compiled", "grades"),
    [
        (False, False, ["warning"]),
        (False, True, []),
        (True, False, []),
    ],
)
def test_packages_that_are_compiled_at_every_start(
    may_write: bool, compiled: bool, grades: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "tensorflow" / "__init__.py"
    source.parent.mkdir()
    source.touch()
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", not may_write)
    monkeypatch.setattr(doctor, "find_spec", lambda _: ModuleSpec("tensorflow", None, origin=str(source)))
    if compiled:
        compiled_file = Path(cache_from_source(str(source)))
        compiled_file.parent.mkdir()
        compiled_file.touch()
    found = list(doctor._bytecode())
    assert [one.grade for one in found] == grades
    assert all("--compile-bytecode" in one.fix for one in found)


@pytest.mark.parametrize(
    ("started", "card", "grade", "words"),
    [
        ("CPUExecutionProvider", "", "good", "on the CPU"),
        ("CPUExecutionProvider", "Tesla T4", "warning", "although there is Tesla T4"),
        ("CUDAExecutionProvider", "Tesla T4", "good", "CUDAExecutionProvider"),
    ],
)
def test_it_says_what_swaps_run_on(
    started: str, card: str, grade: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_graphics_card", lambda: card)
    monkeypatch.setattr(onnx_graph.Graph, "provider", started)
    (found,) = doctor._swaps()
    assert (found.grade, found.what) == (grade, "swaps")
    assert words in found.finding
    assert bool(found.fix) == (grade == "warning")


@pytest.mark.parametrize(
    ("accelerated", "driver", "plugin", "free", "words"),
    [
        (True, True, True, 70e9, ["good: trainings run on the H100 (jax, mixed_bfloat16), preset "]),
        (True, True, True, 1e9, ["good: trainings run on", "warning: only 1.0 GB are free on the card"]),
        (
            False,
            True,
            False,
            None,
            ["warning: trainings run on the CPU (jax, mixed_bfloat16), although there is"],
        ),
        (False, True, True, None, ["warning: The GPU of this machine can't be used"]),
        (
            False,
            False,
            True,
            None,
            ["warning: trainings run on the CPU (jax, mixed_bfloat16): JAX's CUDA is inst"],
        ),
        (False, False, False, None, ["good: trainings run on the CPU (jax, mixed_bfloat16); "]),
    ],
)
def test_it_says_what_trains_and_what_is_missing(
    accelerated: bool,
    driver: bool,
    plugin: bool,
    free: float | None,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Device("jax", "H100" if accelerated else "CPU", accelerated, bfloat16=True)
    monkeypatch.setattr(device, "device", lambda: found)
    monkeypatch.setattr(device, "_refusal", lambda name: "the driver is too old")
    monkeypatch.setattr(doctor, "_graphics_card", lambda: "")
    monkeypatch.setattr(backend, "has_driver", lambda: driver)
    monkeypatch.setattr(backend, "has_cuda_for_jax", lambda: plugin)
    monkeypatch.setattr(backend, "trains_on_gpu", lambda: driver and plugin)
    monkeypatch.setattr(cards, "free_memory", lambda: free)
    said = [f"{one.grade}: {one.finding}" for one in doctor._device()]
    assert len(said) == len(words)
    assert all(one.startswith(begins) for one, begins in zip(said, words, strict=True)), said
