import numpy as np
import pandas as pd

from faceswap.evaluation.grading.gates import Gate, decide
from faceswap.evaluation.means import mean_measures
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.rendering.comparison import promotion_report, side_by_side

ORIGINAL, OLD, NEW = (40, 40, 200), (200, 40, 40), (40, 200, 40)


def result(colour: tuple[int, int, int], target: str = "bela", **changes: object) -> PairResult:
    frames = 8
    table = pd.DataFrame(
        {"row": range(frames), "detected": [i != 3 for i in range(frames)], "identity_distance": 0.4}
    )
    table.loc[3, "identity_distance"] = 1.0
    numbers = {
        key: 0.5
        for key, field in PairResult.model_fields.items()
        if field.annotation is float and field.is_required()
    }
    picture = np.ones((frames, 32, 32, 3), np.uint8)
    return PairResult(
        reference="ada",
        target=target,
        frames=frames,
        table=table,
        originals=picture * np.uint8(ORIGINAL),
        swaps=picture * np.uint8(colour),
        **{**numbers, **changes},
    )


def test_champion_and_challenger_stand_side_by_side_on_the_same_frame() -> None:
    made = side_by_side(result(NEW), result(OLD), count=2, side=100)
    assert made.shape == (3 * 118, 300, 3)  # two typical, and the one without a face as the worst
    for row in range(3):
        y = row * 118 + 18 + 50
        assert [tuple(made[y, x]) for x in (50, 150, 250)] == [ORIGINAL, OLD, NEW]
    alone = side_by_side(result(NEW), None, count=2, side=100)
    assert alone.shape == (3 * 118, 200, 3)
    assert [tuple(alone[68, x]) for x in (50, 150)] == [ORIGINAL, NEW]


def test_the_report_says_what_decided() -> None:
    gates = [Gate(metric="identity_distance", at_most=0.6, margin=0.03)]
    pairs = (result(NEW, identity_distance=0.7), result(OLD, identity_distance=0.4))
    decision = decide(gates, mean_measures(pairs[:1]), mean_measures(pairs[1:]), override="client waits")
    text = promotion_report(decision, "ada/2", "ada/1", {"bela": pairs}, {"by": "mia@lab"})
    assert text.startswith("# ada/2 against ada/1: overridden\n")
    for line in (
        "- by: mia@lab",
        "- override: client waits",
        "- identity_distance: 0.7, has to be at most 0.6",
        "| identity_distance | at most 0.6 | 0.03 worse | 0.7 | 0.4 | **fail by 0.27** |",
        "| identity_distance | 0.7 | 0.4 |",
        "8 held-out frames, the same for both: `pictures/bela.png`",
    ):
        assert line in text.splitlines()
    first = promotion_report(decision, "ada/2", "", {"bela": (pairs[0], None)}, {})
    assert first.startswith("# ada/2, the first in production: overridden\n")
    assert "| identity_distance | 0.7 | – |" in first
