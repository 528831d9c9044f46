"""What the occlusion network reads, and how its weights are called: known without Keras."""

from faceswap.faces.geometry import Geometry

NAME = "occlusion"
"""Of its weights."""
VIEW = Geometry(96, 1.5)
"""The crop that it reads, whatever the preset of the swap."""
