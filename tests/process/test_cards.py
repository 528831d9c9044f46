"""Each training has a card of its own, with stand-ins for the cards: their names are all that is looked at."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from faceswap.process import cards


@pytest.fixture(autouse=True)
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")


def test_trainings_at_once_have_different_cards_and_then_share(tmp_path: Path) -> None:
    with cards.taken(tmp_path) as first, cards.taken(tmp_path) as second:
        assert (first, second) == (["0"], ["1"])
        with cards.taken(tmp_path) as third, cards.taken(tmp_path) as fourth:
            assert (third, fourth) == (["0"], ["1"])
    with cards.taken(tmp_path) as again:
        assert again == ["0"]


def test_a_training_of_two_cards_has_both(tmp_path: Path) -> None:
    with cards.taken(tmp_path) as first, cards.taken(tmp_path, 2) as both:
        assert (first, both) == (["0"], ["0", "1"])


def test_what_one_process_holds_others_do_not_get_until_it_ends(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from faceswap.process import cards\n"
        f"with cards.taken_here(Path({str(tmp_path)!r})):\n"
        "    print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "0"
        with cards.taken(tmp_path) as mine:
            assert mine == ["1"]
    finally:
        holder.kill()
        holder.wait()
    with cards.taken(tmp_path) as mine:
        assert mine == ["0"]


def test_a_process_sees_only_its_card_and_keeps_it(tmp_path: Path) -> None:
    with cards.taken(tmp_path), cards.taken_here(tmp_path) as own:
        assert own == ["1"]
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    with cards.taken_here(tmp_path) as again:
        assert again == ["1"]


@pytest.mark.parametrize("value", ["", "-1"])
def test_hidden_cards_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    with cards.taken_here(tmp_path / "none") as found:
        assert found == []
    assert cards.visible(found) == {}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == value
    assert not (tmp_path / "none").exists()


def test_cards_are_those_that_the_driver_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(cards, "_LISTED", tmp_path / "gpus")
    monkeypatch.setattr(cards, "_NODES", tmp_path)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert cards.cards() == ["0", "1"]
    for name in ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    assert cards.cards() == ["0", "1", "2"]


@pytest.mark.parametrize(("visible", "free"), [("0,1", 10), ("1", 20), ("GPU-3f", 30), ("", None)])
def test_free_memory_is_that_of_the_first_card(
    monkeypatch: pytest.MonkeyPatch, visible: str, free: int | None
) -> None:
    """By a stand-in for nvidia-ml-py with its functions' names: bytes."""
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: (10, 20)[index],
        nvmlDeviceGetHandleByUUID=lambda name: {"GPU-3f": 30}[name],
        nvmlDeviceGetMemoryInfo=lambda card: SimpleNamespace(total=99, free=card, used=99 - card),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert cards.free_memory() == free
