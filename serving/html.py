"""What the pages say, as HTML; everything that comes from outside is escaped."""

import time
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from faceswap.errors import FaceswapError
from faceswap.files.disk import is_full
from faceswap.swap.video.stream import VideoReport
from serving.catalogue import State
from serving.guard.disk_full import full_disk


def header(state: State) -> str:
    """The page's head: name, purpose, what is there, whether MLflow answers."""
    versions, people = len(state.rows), len(state.identities)
    counted = (
        f"{people} {_plural(people, 'identity', 'identities')} · {versions} {_plural(versions, 'version')}"
    )
    chips = f'<span class="chip">{counted}</span>'
    if state.problem:
        since = f" since {time.strftime('%H:%M', time.localtime(state.listed))}" if state.listed else ""
        chips += f'<span class="chip bad">MLflow does not answer{since}</span>'
    else:
        chips += '<span class="chip good">registry connected</span>'
    return (
        '<header class="top"><div><h1>faceswap</h1>'
        "<p>Put a registered likeness on a picture, a video or your camera. "
        f"Consenting or fictional people only; every result says that it is generated.</p></div>"
        f'<div class="chips">{chips}</div></header>'
    )


def note(kind: str, title: str, text: str = "") -> str:
    """A short message in a box; kind: info, warn or bad."""
    role = "alert" if kind == "bad" else "status"
    body = f"<span>{escape(text)}</span>" if text else ""
    return f'<div class="note {kind}" role="{role}"><b>{escape(title)}</b>{body}</div>'


def problem(error: FaceswapError) -> str:
    """An error and what to do about it."""
    if is_full(error):
        error = full_disk()
    return note("bad", error.message, error.fix or "")


def nothing_registered(state: State) -> str:
    """The first thing to say where there is no version; empty where there is one."""
    if state.rows:
        return ""
    if state.problem:
        return note("bad", state.problem, "Start the MLflow server or correct FACESWAP_TRACKING_URI.")
    return note(
        "info",
        "No version is registered yet",
        "Run `faceswap demo` in a terminal: two fictional people are trained in a few minutes and appear here.",
    )


def subtitle(text: str) -> str:
    """A line above a group of things."""
    return f'<p class="subtitle">{escape(text)}</p>'


def examples(ready: int, count: int) -> str:
    """What stands above the examples, of which so many are rendered."""
    if ready == count:
        return subtitle("Or one of these people, who do not exist")
    return subtitle(f"Examples are being rendered, {ready} of {count} are ready: people who do not exist")


def group(text: str) -> str:
    """The heading of a part of a form."""
    return f'<h4 class="group">{escape(text)}</h4>'


def faces_found(count: int) -> str:
    """What the user may do with the found faces; nothing where there is no choice."""
    return subtitle(f"{count} faces: click the one to swap, or swap all") if count > 1 else ""


def empty(title: str, text: str) -> str:
    """What stands where a result will be."""
    return f'<div class="empty"><b>{escape(title)}</b><span>{escape(text)}</span></div>'


def still(jpeg: bytes) -> str:
    """A frame of the camera within the page itself, so that it is nowhere a file."""
    return f'<img class="camera" alt="the swapped frame" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'


def live_rate(rate: float) -> str:
    """What the live preview says while it runs; rate: frames a second."""
    return f"{rate:.1f} frames/s. Frames are worked on in memory and not stored."


def done(
    version: str,
    seconds: float,
    faces: int,
    video: VideoReport | None,
    remarks: Sequence[str] = (),
    link: str = "",
) -> str:
    """One line on the work, and below it what people should know of the result; of a video its own remarks, too.

    Args:
        version, seconds, faces, video, remarks: of the swap.
        link: address that opens the result for whoever is given it; empty: there is none.
    """
    if video is None:
        what = f"{faces} {_plural(faces, 'face')} in {1000 * seconds:.0f} ms"
    else:
        what = f"{video.swapped} of {video.frames} frames in {seconds:.1f} s, {video.fps:.0f} frames/s"
    notes = "".join(note("warn", remark) for remark in (*(video.remarks if video else ()), *remarks))
    passed_on = f' <a href="{escape(link)}" rel="noreferrer">link to pass on</a>' if link else ""
    return f'<p class="done"><b>{escape(version)}</b><span>{what}{passed_on}</span></p>{notes}'


def measuring() -> str:
    """Stands in for the measures until they are there."""
    return '<div class="measures waiting">measuring identity, expression and pose …</div>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; the cells are HTML already."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="sheet"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or one + "s"
