"""faceswap: an experiment platform for autoencoder face swapping.

The public API are the names of :mod:`faceswap.jobs`: what the commands do, as functions from parameters to a result.

>>> from faceswap import jobs
>>> sets = [jobs.preprocess(jobs.PreprocessParameters(identity=name, sources=[f"{name}.mp4"], consent="signed"))
...         for name in ("ada", "ben")]
>>> trained = jobs.train(jobs.TrainParameters(face_sets=sets, minutes=4))
>>> report = jobs.swap(jobs.SwapParameters(target="ben.jpg", reference="ada", out="swapped.jpg"))

No server is needed: runs and versions go to MLflow's database under the home folder of :mod:`faceswap.settings`, or to
its server. What a user can mend raises a :class:`faceswap.errors.FaceswapError`. All else may change.

The core package knows nothing of Prefect (``flows/``) or Gradio (``serving/``).
"""

import os
from typing import TYPE_CHECKING

from faceswap.backend import choose

if TYPE_CHECKING:
    from faceswap import jobs

__all__ = ["__version__", "jobs"]
__version__ = "0.1.0"

os.environ.setdefault(
    "ORT_DISABLE_TELEMETRY", "1"
)  # ONNX Runtime tells its maker of every model that is loaded, else
choose()
