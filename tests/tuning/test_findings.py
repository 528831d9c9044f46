from typing import Any

from faceswap.tuning.search_findings import in_words, next_command, said

PRESET = {"bottleneck": 256, "loss": {"dssim": 1.0}}


def row(
    trial: str, bottleneck: int, quality: float | None, mark: str = "", speed: float = 50
) -> dict[str, Any]:
    return {
        "trial": trial,
        "mark": mark,
        "bottleneck": bottleneck,
        "quality": quality,
        "images_per_second": speed,
    }


def test_a_clear_winner() -> None:
    rows = [row("0001", 64, 0.7, "winner"), row("0000", 256, 0.6, speed=80), row("0002", 9, None, speed=0)]
    assert in_words(rows, {"bottleneck": 64}, PRESET, 0.01) == [
        "Best settings: bottleneck 64 (trial 0001, quality 0.700).",
        "That is 0.100 ahead of the next.",
        "The preset's own settings reached 0.600.",
        "Fastest was trial 0000: 80 images/s instead of 50, quality 0.600.",
        "1 of 3 trials failed; their logs say why.",
    ]


def test_a_winner_among_equals_is_the_smallest() -> None:
    rows = [row("0000", 256, 0.705), row("0001", 64, 0.7, "winner")]
    assert "1 other trial did as well within 0.01" in in_words(rows, {"bottleneck": 64}, PRESET, 0.01)[1]


def test_the_preset_may_win() -> None:
    found = in_words([row("0000", 256, 0.7, "winner")], {"bottleneck": 256}, PRESET, 0.01)
    assert found == [
        "Best settings: bottleneck 256 (trial 0000, quality 0.700).",
        "These are the preset's own.",
    ]


def test_the_next_command_trains_the_winner() -> None:
    assert next_command(["ada", "my ben"], "lite", {"bottleneck": 64, "learning_rate": 0.001}, "r1") == (
        "faceswap train ada 'my ben' --preset lite --minutes 30 --bottleneck 64 --learning-rate 0.001"
    )
    nested = {"loss": {"dssim": 0.5}, "bottleneck": 64}
    assert next_command(["ada"], "lite", nested, "r1") == "faceswap tune --resume r1 --then-train 30"
    assert said(nested) == "loss.dssim 0.5, bottleneck 64"
