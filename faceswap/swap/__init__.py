"""Swapping: masks, colour transfer, blending, whole pictures and videos."""
