"""faceswap: an experiment platform for autoencoder face swapping.

The core package knows nothing of Prefect (``flows/``) or Gradio (``serving/``).
"""

from faceswap.backend import choose

__version__ = "0.1.0"

choose()
