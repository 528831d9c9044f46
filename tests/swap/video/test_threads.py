"""Stages in threads."""

from collections.abc import Iterator

import pytest

from faceswap.swap.video.threads import ahead


def test_ahead_keeps_order_passes_errors_on_and_can_be_left() -> None:
    assert list(ahead(range(20))) == list(range(20))
    assert list(ahead([])) == []

    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("late")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(ValueError, match="late"):
        next(items)
    taken: list[int] = []

    def counting() -> Iterator[int]:
        for i in range(1000):
            taken.append(i)
            yield i

    left = ahead(counting(), 4)
    next(left)
    left.close()
    assert len(taken) < 10
