"""Interlaced frames, whose odd and even lines were taken at different moments, become whole pictures."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av import VideoFrame
from av.filter import Graph

_FILTER = "bwdif"
_ARGUMENTS = "mode=send_frame:deint=interlaced"
"""One frame for each, at its first field's moment; frames that are not marked as interlaced stay as they are."""


def whole_frames(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """The same frames, as many, with the same times; those marked as interlaced without combs (bwdif)."""
    graph: Graph | None = None
    form: tuple[object, ...] = ()
    for frame in frames:
        now = (frame.width, frame.height, frame.format.name, frame.time_base)
        if graph is not None and now != form:
            yield from _pulled(graph, end=True)
            graph = None
        if graph is None:
            if not frame.interlaced_frame or frame.pts is None or frame.time_base is None:
                yield frame
                continue
            graph, form = _graph(frame, frame.time_base), now
        graph.vpush(frame)
        yield from _pulled(graph)
    if graph is not None:
        yield from _pulled(graph, end=True)


def _graph(frame: VideoFrame, base: Fraction) -> Graph:
    graph = Graph()
    source = graph.add(
        "buffer",
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
        f":time_base={base.numerator}/{base.denominator}"
        f":colorspace={int(frame.colorspace)}:range={int(frame.color_range)}",
    )
    graph.link_nodes(source, graph.add(_FILTER, _ARGUMENTS), graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: Graph, end: bool = False) -> Iterator[VideoFrame]:
    """What is finished; at the end all of it."""
    if end:
        graph.vpush(None)
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
