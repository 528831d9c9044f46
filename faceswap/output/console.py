"""What is written to a terminal or a pipe: names as they are, no markup, no character that the terminal can't show.

The consoles are made when something is first printed: whether a terminal is there is asked then, not while a module
is imported.
"""

import codecs
import logging
import sys
import unicodedata
from functools import lru_cache
from typing import TextIO

from rich.console import Console
from rich.text import Text

_ERRORS = "faceswap.replace"
_ASCII = {
    "…": "...",
    "→": "->",
    "–": "-",
    "—": "-",
    "·": "-",
    "•": "*",
    "✓": "+",
    "✗": "x",
    "°": "o",
    "×": "x",
}
_ASCII |= {"“": '"', "”": '"', "‘": "'", "’": "'", "≤": "<=", "≥": ">=", "±": "+-", "α": "alpha"}
"""What a terminal without these characters shows in their place."""


@lru_cache
def out() -> Console:
    """Standard output: what a command was asked for."""
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


@lru_cache
def err() -> Console:
    """Standard error: progress, remarks, errors. Bars and log lines share it, so that neither overwrites the other."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text without characters that would steer the terminal: they are shown as ``\\x1b`` and the like.

    File names may hold any of them. Line breaks and tabs stay.
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) == "Cc" and c not in "\n\t" else c
        for c in text
    )


def say(text: str, style: str = "") -> None:
    """Print a line of what a command was asked for, word for word."""
    out().print(Text(printable(text), style=style))


def remark(text: str, style: str = "") -> None:
    """Print a line beside the result, on standard error, word for word."""
    err().print(Text(printable(text), style=style))


def complain(kind: str, text: str) -> None:
    """Print an error: its kind, and what is wrong in words."""
    err().print(Text(f"{kind}: ", style="bold red").append(printable(text), style="not bold default"))


def make_streams_lenient(*streams: TextIO) -> None:
    """Let text streams write any text: by default both standard streams.

    A name whose bytes are no valid UTF-8 comes out as the bytes that it has; what the encoding lacks is replaced.
    """
    codecs.register_error(_ERRORS, _replace)
    for stream in streams or (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors=_ERRORS)


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode what the codec can't, for :func:`codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    made = b""
    for character in error.object[error.start : error.end]:
        if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte that Python could not decode in a file name
            made += bytes([ord(character) - 0xDC00])
        else:
            base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
            made += _ASCII.get(character, "").encode() or base or b"?"
    return made, error.end


class LogLines(logging.Handler):
    """Log records as lines of the same console as the bars: they appear above a bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record."""
        try:
            remark(self.format(record))
        except Exception:
            self.handleError(record)
