"""What the doctor says of an installation."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from faceswap.inference import onnx_graph
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
