"""Faces over time: search, association, smoothing, optical flow."""
