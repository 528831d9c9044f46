"""Imported once by the process that those who swap are forked from: they start with all that is imported."""

from faceswap.faces.finding.dlib_finder import load_models
from faceswap.jobs.swap_crews.recipe import swapper_of
from faceswap.swap.batch.pieces import work_on

load_models()
__all__ = ["swapper_of", "work_on"]
