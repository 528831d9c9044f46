"""The code that MLflow loads for a registered decoder: ``mlflow.pyfunc.load_model("models:/face-ada@production")``.

Logged as a model from code: no pickle. It loads the version's card and graph and asks the same swapper as the rest of
the package, so both ways of loading give the same pixels.
"""

import base64
import io
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel
from PIL import Image
from pydantic import BaseModel


class Picture(BaseModel):
    """A picture to edit: base64 of an encoded file (PNG, JPEG, …)."""

    image: str


class FaceDecoder(PythonModel):
    """Puts the version's identity on every face of each picture."""

    def load_context(self, context: Any) -> None:
        """Build the swapper from the version's files."""
        from faceswap.faces.finding.dlib_finder import FaceFinder
        from faceswap.registry import load_files
        from faceswap.swap.swapper import Swapper

        loaded = load_files(Path(context.artifacts["card"]), Path(context.artifacts["decoder"]))
        self.swapper = Swapper(loaded.network, FaceFinder())

    def predict(self, model_input: list[Picture]) -> list[str]:
        """Base64 PNG of each picture with its faces swapped and the visible label on it."""
        return [self._swap(picture) for picture in model_input]

    def _swap(self, picture: Picture) -> str:
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.image))).convert("RGB"))
        buffer = io.BytesIO()
        marked = self.swapper.marked(self.swapper.swap(pixels))
        Image.fromarray(marked).save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()


mlflow.models.set_model(FaceDecoder())
