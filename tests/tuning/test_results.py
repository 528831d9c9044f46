import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from faceswap.tuning.plan import TrialRecord
from faceswap.tuning.plots import plot
from faceswap.tuning.results import by_first_dimension, pareto_front, table, winner
from tests.tuning.fakes import plan, record

grid = st.tuples(st.integers(0, 6), st.integers(1, 6))


def dominated(one: TrialRecord, others: list[TrialRecord]) -> bool:
    q, s = one.quality, one.result.images_per_second
    return any(
        (o.quality >= q and o.result.images_per_second >= s)
        and (o.quality > q or o.result.images_per_second > s)
        for o in others
    )


@given(st.lists(grid, max_size=25))
def test_the_front_is_what_brute_force_finds(points: list[tuple[int, int]]) -> None:
    records = [record(i, q / 6, float(s)) for i, (q, s) in enumerate(points)]
    expected = {
        (r.quality, r.result.images_per_second)
        for r in records
        if not dominated(r, [o for o in records if o is not r])
    }
    front = pareto_front(records)
    assert [(r.quality, r.result.images_per_second) for r in front] == sorted(expected, key=lambda p: -p[1])


def test_failures_are_on_no_front_and_win_nothing() -> None:
    failed = record(0, 0.9, 99, status="crashed", message="boom\nmore")
    assert pareto_front([failed]) == []
    assert winner([failed], 0.01) is None
    rows = table([failed, record(1, 0.5, 1)], plan())
    assert [row["trial"] for row in rows] == ["0001", "0000"]
    assert (rows[1]["quality"], rows[1]["message"], rows[1]["mark"]) == (None, "boom", "")
    assert rows[0]["mark"] == "winner"


def test_among_equals_the_smallest_network_wins() -> None:
    big, small, worse = record(0, 0.70, 1, 900), record(1, 0.695, 1, 100), record(2, 0.6, 1, 10)
    assert winner([big, small, worse], 0.01) is small
    assert winner([big, small, worse], 0) is big
    assert winner([big, small, worse], 0.5) is worse
    same = [record(i, 0.7, 1, 5) for i in (3, 1, 2)]
    assert winner(same, 0.01) is same[1]


@given(st.permutations(range(8)), st.floats(0, 0.2))
def test_the_choice_does_not_depend_on_the_order(order: list[int], tolerance: float) -> None:
    records = [record(i, (i * 7 % 8) / 8, i % 3 + 1, i * 5 % 8) for i in range(8)]
    assert winner([records[i] for i in order], tolerance) is winner(records, tolerance)


def test_the_best_of_each_width() -> None:
    records = [record(0, 0.2, 1), record(7, 0.6, 1), record(1, 0.3, 1)]
    found = by_first_dimension(records, plan())
    assert [(value, r.quality) for value, r in found] == [(16, 0.6), (32, 0.3)]


def test_the_plot_shows_points_the_front_and_failures() -> None:
    records = [record(i, i / 10, 10.0 - i) for i in range(6)]
    empty, full = plot([], plan()), plot(records, plan())
    assert empty.shape == full.shape
    assert full.dtype == np.uint8
    red = np.abs(full.astype(int) - (209, 73, 91)).sum(-1) < 30
    assert red[:, full.shape[1] // 2 :].sum() > 200
    assert red[:, : full.shape[1] // 2].sum() == 0
    failed = [*records, record(6, 0, 0, status="crashed")]
    assert (plot(failed, plan()) != full).any()
