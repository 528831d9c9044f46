"""How a video is cut into spans."""

import math
from pathlib import Path

import pytest

from faceswap.media.video.reading import probe
from faceswap.swap.video.assembly import Assembly
from faceswap.swap.video.spans import Span, spans_of
from tests.media.videos import make_video
from tests.swap.video.streams import MADE, swapper


def cut(source: Path, out: Path, start: float | None = None, end: float | None = None) -> list[Span]:
    return spans_of(Assembly(source, out, probe(source), swapper(), MADE, start=start, end=end))


def test_spans_follow_one_another_from_the_start_to_the_end(tmp_path: Path) -> None:
    video, out = make_video(tmp_path / "a.mp4", 650), tmp_path / "o.mp4"  # 26 s
    assert cut(video, out) == [Span(None, None, 10.0), Span(None, 10.0, 20.0), Span(None, 20.0, None)]
    assert cut(video, out, 3.5, 14.0) == [Span(3.5, 3.5, 13.5), Span(3.5, 13.5, 14.0)]
    assert cut(video, out, 3.5, 90.0)[-1] == Span(3.5, 23.5, 90.0)
    assert cut(video, out, 12.0, 13.0) == [Span(12.0, 12.0, 13.0)]


def test_what_is_in_the_parts_is_in_no_span(tmp_path: Path) -> None:
    video, out = make_video(tmp_path / "a.mp4", 650), tmp_path / "o.mp4"
    from faceswap.swap.video.stream import swap_video

    asked = iter([False] * 329 + [True])
    swap_video(video, out, swapper(), None, cancelled=lambda: next(asked))  # 13.2 s
    whole = Assembly(video, out, probe(video), swapper(), None)
    begin = math.nextafter(329 / 25, math.inf)
    assert spans_of(whole) == [Span(None, pytest.approx(begin), 20.0), Span(None, 20.0, None)]


def test_where_no_time_can_be_found_there_is_one_span(tmp_path: Path) -> None:
    one = make_video(tmp_path / "one.ts", 275)
    both = tmp_path / "both.MTS"
    both.write_bytes(one.read_bytes() * 2)
    assert len(cut(one, tmp_path / "o.mp4")) == 2
    assert cut(both, tmp_path / "o.mp4") == [Span(None, None, None)]
