"""Colours of a video's frames: which numbers swscale needs so that RGB of BT.709 comes out."""

from av import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

_UNSPECIFIED = 2
_HDR = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})
_WIDE = frozenset({ColorPrimaries.BT2020, ColorPrimaries.SMPTE432})
_TRANSFERS = frozenset(ColorTrc)
_PRIMARIES = frozenset(ColorPrimaries)


def is_hdr(frame: VideoFrame) -> bool:
    """Whether brightness is stored as PQ or HLG say, with lights brighter than white paper."""
    return frame.color_trc in _HDR


def to_bt709(frame: VideoFrame) -> dict[str, int | None]:
    """What ``reformat`` needs beside the format so that a frame becomes RGB with the primaries of BT.709.

    Of HDR, white paper (203 cd/m², as ITU-R BT.2408 says) becomes white, what is darker keeps its brightness, and what
    is brighter is clipped. The first such frame costs swscale 2.6 s for a table, each further one 12 ms at 1280x720.
    """
    transfer, primaries = frame.color_trc, frame.color_primaries
    wanted: dict[str, int | None] = {"src_colorspace": _matrix(frame)}
    # swscale refuses numbers that no standard has
    if (is_hdr(frame) or primaries in _WIDE) and transfer in _TRANSFERS and primaries in _PRIMARIES:
        wanted["dst_color_trc"] = ColorTrc.BT709 if is_hdr(frame) else transfer
        wanted["dst_color_primaries"] = ColorPrimaries.BT709
    return wanted


def _matrix(frame: VideoFrame) -> int | None:
    """The colour matrix; where a file does not say, HD is taken as BT.709, as players do."""
    if frame.colorspace == _UNSPECIFIED and frame.height >= 720:
        return Colorspace.ITU709
    return None
