import numpy as np
import pytest

from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import evaluate_pair
from faceswap.evaluation.rendering.sheets import (
    Tile,
    before_after,
    case_sheet,
    chosen,
    expression_plot,
    sheet,
)
from faceswap.faces.geometry import Geometry
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.evaluation.fakes import COLOURS, ColourFinder, MemoryFaces
from tests.swap.fakes import Paint

ADA, BELA = MemoryFaces("ada"), MemoryFaces("bela")
SWAPPER = Swapper(
    Paint(Geometry(64, 1.5), COLOURS["ada"]),
    ColourFinder(),
    SwapOptions(label=False, colour="none", sharpen=0),
)


@pytest.fixture(scope="module")
def result() -> PairResult:
    means = {faces.identity: faces.mean_embedding for faces in (ADA, BELA)}
    return evaluate_pair(SWAPPER.swap_face, BELA, ADA, means, ColourFinder(blind=(8,)))


def test_sheet_places_pictures_below_their_captions() -> None:
    red, wide = np.full((50, 50, 3), (255, 0, 0), np.uint8), np.full((40, 80, 3), 255, np.uint8)
    made = sheet(
        [[Tile(red, "a caption that is far too long for its picture"), Tile(wide, "w")], [Tile(wide)]], 80
    )
    assert made.shape == (2 * 98, 160, 3)
    assert tuple(made[18 + 40, 40]) == (255, 0, 0)
    assert made[18 + 40, 80:160].min() == 255  # centred, as wide as the square
    assert made[18 + 5, 120].max() < 60
    assert made[:18, :80].max() > 150  # the caption
    assert (made[:18, 78:82] == made[0, 79]).all()  # which ends before its neighbour
    assert sheet([]).ndim == 3


def test_best_and_worst_cases_are_chosen_by_identity(result: PairResult) -> None:
    undetected = int(np.flatnonzero(~result.table["detected"])[0])
    assert chosen(result, "worst", 2)[0] == undetected
    assert undetected not in chosen(result, "best", 5)
    distances = result.table["identity_distance"].to_numpy()
    assert distances[chosen(result, "best", 1)[0]] == distances.min()
    assert chosen(result, "typical", 3) == [0, 2, 5]


def test_case_sheet_shows_original_swap_real_and_reconstruction(result: PairResult) -> None:
    made = case_sheet(result, SWAPPER, BELA, ADA, count=1, side=128)
    assert made.shape == (3 * 146, 4 * 128, 3)
    middle = made[18 + 60, [64, 192, 320, 448]].astype(int)
    assert np.abs(middle[0] - COLOURS["bela"]).max() < 60
    assert np.abs(middle[1] - COLOURS["ada"]).max() < 5
    assert np.abs(middle[2] - COLOURS["ada"]).max() < 60
    assert np.abs(middle[3] - COLOURS["ada"]).max() < 5


def test_before_after_has_a_row_per_pair(result: PairResult) -> None:
    assert before_after([result, result], count=2, side=100).shape == (2 * 118, 400, 3)


def test_expression_plot_draws_without_a_display(result: PairResult) -> None:
    made = expression_plot(result)
    assert made.dtype == np.uint8
    assert made.shape[2] == 3
    assert made.std() > 5
