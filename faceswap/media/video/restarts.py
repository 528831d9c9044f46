"""Streams whose times begin anew midway, as those of camcorders' files that were put one after the other do."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import av

from faceswap.media.video.containers import open_media, pictures

_BACK = 0.5
"""Seconds; times that fall back farther begin anew."""
_STREAMS = ("mpegts", "mpeg")
"""Formats of which files may be put one after the other."""


class Clock:
    """Makes times grow on where they begin anew.

    Args:
        shifts: seconds to add after each beginning (see :func:`restarts`); without, what began before ends first.
    """

    def __init__(self, shifts: Sequence[float] = ()) -> None:
        self._shifts = list(shifts)
        self._shift = 0.0
        self._end: float | None = None

    def shift(self, time: float, duration: float) -> float:
        """What is to be added to a time, in seconds; what has that time is shown or heard for ``duration``."""
        if self._end is not None and time + self._shift < self._end - duration - _BACK:
            self._shift = self._shifts.pop(0) if self._shifts else self._end - time
            self._end = time + self._shift
        end = time + self._shift + duration
        self._end = end if self._end is None else max(self._end, end)
        return self._shift


def restarts(path: Path) -> tuple[float, ...]:
    """For each time that the pictures' times begin anew, the seconds to add from there on; none for most files.

    Where there is one, no place in the file can be found by its time. All packets of formats in which it happens are
    read for that, once for each file.
    """
    state = path.stat()
    return _restarts(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _restarts(path: Path, size: int, changed: int) -> tuple[float, ...]:
    found: list[float] = []
    with open_media(path) as container:
        track = pictures(container)
        if container.format.name not in _STREAMS or track is None:
            return ()
        last, step = None, 0
        try:
            for packet in container.demux(track):
                if packet.dts is None:
                    continue
                if last is not None and (packet.dts - last) * packet.time_base < -_BACK:
                    shift = float((last + step - packet.dts) * packet.time_base)
                    found.append(shift + (found[-1] if found else 0.0))
                elif last is not None:
                    step = packet.dts - last
                last = packet.dts
        except (av.FFmpegError, OSError):
            pass  # whoever reads the frames notes the damage
    return tuple(found)
