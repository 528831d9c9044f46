"""Imported once by the process that workers are forked from: they start with the models already loaded."""

from faceswap.faces.extraction.segments import work_on
from faceswap.faces.finding.dlib_finder import load_models

load_models()
__all__ = ["work_on"]
