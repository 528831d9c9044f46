"""What the segmentation network reads and tells apart, and how its weights are called: known without Keras."""

from faceswap.faces.geometry import Geometry

NAME = "segmentation"
"""Of its weights."""
SEGMENTS = ("skin", "hair", "glasses", "other")
"""Its channels: skin with brows, eyes, mouth and beard; hair on the head; glasses and dark lenses; the rest."""
VIEW = Geometry(112, 2.4, -0.2)
"""The crop that it reads: a whole head, from hair to collar, whatever the swap's preset."""
