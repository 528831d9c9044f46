"""Masks: where the frame is replaced and what lies over the face."""
