"""The names of what finds faces."""

from typing import Literal

Detector = Literal["mediapipe", "hog", "cnn"]
DETECTOR_MEANS = "what finds faces: MediaPipe's models, or dlib's hog or cnn, which wants a GPU build of dlib"
"""In words, for settings and options."""
