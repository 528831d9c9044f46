"""The code that MLflow loads for a registered decoder: ``mlflow.pyfunc.load_model("models:/face-ada@production")``.

Logged as a model from code: no pickle. What it imports from the package stays where it is, or leaves its name there:
stored versions keep this file as it was. It loads the version's card and graph and asks the same swapper as the rest of
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

        self.loaded = load_files(Path(context.artifacts["card"]), Path(context.artifacts["decoder"]))
        self.swapper = Swapper(self.loaded.network, FaceFinder())

    def predict(self, model_input: list[Picture]) -> list[str]:
        """Base64 PNG of each picture with its faces swapped: labelled, marked and signed."""
        return [self._swap(picture) for picture in model_input]

    def _swap(self, picture: Picture) -> str:
        from faceswap.media.images import encoded
        from faceswap.registry.cards.origin import provenance

        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.image))).convert("RGB"))
        result = self.swapper.swap(pixels)
        origin = provenance(self.loaded, self.swapper.options.model_dump(mode="json"))
        data = encoded(self.swapper.marked(result), ".png", metadata=origin if result.swapped else None)
        return base64.b64encode(data).decode()


mlflow.models.set_model(FaceDecoder())
