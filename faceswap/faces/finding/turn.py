"""How a picture may be turned before faces are looked for; apart from what turns it, so that forms load quickly."""

from typing import Literal

Turn = Literal["auto", "0", "90", "180", "270"]
"""Degrees by which a picture is turned clockwise before faces are looked for. ``auto``: as it is, and where that shows
no face for sure, in the other three ways."""
