"""Imported once by the process that workers are forked from: they start with the models already loaded."""

from faceswap.faces.detection import load_models
from faceswap.faces.extraction.segments import work_on

load_models()
__all__ = ["work_on"]
