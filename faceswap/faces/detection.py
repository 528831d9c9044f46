"""Where the code that is stored with versions of before looks for the finder; see :mod:`faceswap.registered_model`."""

from faceswap.faces.finding.dlib_finder import FaceFinder

__all__ = ["FaceFinder"]
