from collections import Counter
from itertools import permutations

import pytest

from faceswap.evaluation.quick import balanced_pairs


@pytest.mark.parametrize("count", range(2, 9))
@pytest.mark.parametrize("enough", [1, 6])
def test_everyone_is_reference_and_target_equally_often(count: int, enough: int) -> None:
    names = "abcdefgh"[:count]
    pairs = balanced_pairs(names, enough)
    assert set(pairs) <= set(permutations(names, 2))
    assert len(set(pairs)) == len(pairs)
    for side in (0, 1):
        times = Counter(pair[side] for pair in pairs)
        assert set(times) == set(names)
        assert len(set(times.values())) == 1


@pytest.mark.parametrize(("count", "pairs"), [(2, 2), (3, 6), (4, 8), (5, 10), (6, 6), (8, 8)])
def test_there_are_enough_pairs_and_no_more_than_it_takes(count: int, pairs: int) -> None:
    assert len(balanced_pairs("abcdefgh"[:count], 6)) == pairs
    assert len(balanced_pairs("abcdefgh"[:count], 1)) == count


def test_one_person_alone_makes_no_pair() -> None:
    assert balanced_pairs(["ada"], 6) == []
