"""How many frames a second a video has: what its packets' times say, in the words of its header where both agree.

Headers can't be believed alone: browsers record WebM without a rate, for which FFmpeg guesses that of its clock (1000),
other writers name their clock's, and a mean over a file whose last frame is held is no rate.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, pairwise
from statistics import median_low

import av
from av.container import InputContainer
from av.video.stream import VideoStream

_PACKETS = 150
"""Read from the start: five seconds of most videos, enough to tell 29.97 from 30 where times are whole milliseconds."""
_AGREE, _ROUNDED = Fraction(1, 100), Fraction(1, 2000)
"""Relative difference up to which a rate of the header, and a usual rate where it says none, is that of the packets."""
_USUAL = [
    *(Fraction(1000 * n, 1001) for n in (24, 30, 48, 60, 120)),
    *(Fraction(n) for n in (5, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)),
    *(Fraction(15, 2), Fraction(25, 2)),
]
_FASTEST = 480
"""Frames a second that a header is believed where there is nothing to compare it with."""
_DEFAULT = Fraction(25)


def frame_rate(container: InputContainer, stream: VideoStream) -> Fraction:
    """Frames a second while frames follow one another; pauses of variable rates do not count.

    Args:
        container: just opened; packets are read from it.
        stream: of the pictures.
    """
    said = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
    times = _times(container, stream)
    step, slack = _typical_step(times, stream.time_base)
    if step is None:
        return next((rate for rate in said if 0 < rate <= _FASTEST), _DEFAULT)
    rate = 1 / step
    near = [one for one in said if abs(one - rate) <= max(_AGREE, slack) * rate]
    usual = sorted(_USUAL, key=lambda one: abs(one - rate))[0]
    if not near and abs(usual - rate) <= max(_ROUNDED, slack) * rate:
        near = [usual]
    return near[0] if near else rate.limit_denominator(1001)


def _times(container: InputContainer, stream: VideoStream) -> list[int]:
    """The first frames' times in ticks, in order; of MP4 from its index."""
    if "mp4" in container.format.name and len(stream.index_entries) > 1:
        return sorted(entry.timestamp for entry in islice(stream.index_entries, _PACKETS))
    times = []
    try:
        for packet in islice(container.demux(stream), _PACKETS):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and packet.size:
                times.append(time)
    except (av.FFmpegError, OSError):
        pass  # whoever reads the frames notes the damage
    return sorted(times)


def _typical_step(times: Sequence[int], base: Fraction | None) -> tuple[Fraction | None, Fraction]:
    """Seconds between frames that follow one another, and how far it may be off, as a share of it."""
    steps = [after - before for before, after in pairwise(times) if after > before]
    if not steps or not base:
        return None, Fraction(0)
    middle = median_low(steps)
    usual = [step for step in steps if 0.5 * middle <= step <= 1.5 * middle]
    # each time is rounded to a tick
    return Fraction(sum(usual), len(usual)) * base, Fraction(1, sum(usual))
