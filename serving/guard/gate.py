"""What an event may name as a file, and what an event may answer when something breaks.

A page of Gradio that is mounted in another web application does not check the paths in what browsers and programs
send: a path of the server was read, copied and given back, and a FIFO stopped the whole process. So each input of each
event goes through :func:`check_files` first, whatever component it belongs to; Gradio's own check is switched on, too.
"""

import logging
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from faceswap.errors import FaceswapError, MediaError
from faceswap.files.disk import is_full
from serving.guard.disk_full import full_disk

logger = logging.getLogger(__name__)
_DEEPEST = 40
"""Nested lists and objects of an input; what goes deeper is refused."""


def check_files(value: Any, folders: Sequence[Path], depth: int = 0) -> None:
    """Let pass only regular files below some folders, wherever in the value they are named; nothing is opened.

    Args:
        value: of an input, as it came: strings, numbers, lists and objects. A file is an object with a ``path``.
        folders: in which files may lie.

    Raises:
        MediaError: it names another file, a link, a device, a FIFO, a folder or an address, or is too deeply nested.
    """
    if depth > _DEEPEST:
        raise MediaError("This input is nested too deeply", "send a plain value")
    if isinstance(value, dict):
        if value.get("path") is not None:
            check_file(value["path"], folders)
        elif isinstance(value.get("meta"), dict) and not _inline(value.get("url")):
            raise _refused()
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            check_files(one, folders, depth + 1)


def check_file(path: object, folders: Sequence[Path]) -> None:
    """Let pass only the path of a regular file below some folders that is reached without a link.

    Raises:
        MediaError: it is something else, or there is no such file.
    """
    if not isinstance(path, str) or not path:
        raise _refused()
    try:
        given = Path(path)
        kind = given.lstat().st_mode
        parent = given.parent.resolve(strict=True)
    except (OSError, ValueError) as error:  # there is none; its name is too long; it holds a zero byte
        raise _refused() from error
    inside = any(parent.is_relative_to(folder.resolve()) for folder in folders)
    if not inside or not stat.S_ISREG(kind):
        raise _refused()


def _inline(url: object) -> bool:
    """Whether the content itself is in the address: a picture of the camera."""
    return isinstance(url, str) and url.startswith("data:")


def _refused() -> MediaError:
    # The same words for all: whether a file of the server exists is nobody's business.
    return MediaError(
        "The app takes uploaded files and its own examples only, and this is neither",
        "upload the file, or upload it again if it has been here for long",
    )


_NO_CHOICE = "is not in the list of choices"
"""Of Gradio's dropdown."""


def spoken(error: BaseException) -> gr.Error:
    """An error as a message to the user: ours in its own words; of any other only the log tells more."""
    if isinstance(error, gr.Error):  # of Gradio itself: what was entered is not what a field takes
        if _NO_CHOICE in str(error):  # the page is older than what there is to choose from
            error = gr.Error("What was chosen is not there any more. → choose again")
        error.print_exception = False
        return error
    if is_full(error):
        error = full_disk()
    if not isinstance(error, FaceswapError):
        logger.error("An event of the app failed", exc_info=error)
        error = FaceswapError("Something went wrong inside the app", "its log says more")
    return gr.Error(str(error), print_exception=False)


class GuardedBlocks(gr.Blocks):
    """A page of which every event takes only files of its folders, and answers every failure in words.

    Args:
        folders: where files may lie that an event names.
        kwargs: of ``gr.Blocks``.
    """

    def __init__(self, folders: Sequence[Path], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folders = tuple(folders)
        self.has_launched = True  # Gradio checks paths only where it has; one that is mounted never has

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> Any:
        """Check the files that the inputs name, before Gradio copies any."""
        check_files(inputs, self.folders)
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:
        """Run an event."""
        try:
            return await super().process_api(*args, **kwargs)
        except (StopIteration, StopAsyncIteration):
            raise
        except Exception as error:
            raise spoken(error) from error
