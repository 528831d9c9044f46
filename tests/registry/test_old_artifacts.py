"""Registered versions, face sets and checkpoints that the first release made (tests/fixtures/v1) load today.

Two fictional people, 60 steps of a preset of a few kilobytes; ``pixels.npz`` holds what the first release's Keras
networks drew of two crops.
"""

import json
import pkgutil
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import mlflow
import numpy as np
import pytest
from mlflow.entities import LoggedModelOutput

from faceswap import registry, tracking
from faceswap.faces.faceset import FaceSet
from faceswap.inference import graph_export
from faceswap.model.options import TrainingOptions
from faceswap.model.presets import Preset
from faceswap.model.training.checkpoints import Checkpoints
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.model_files import weights_digest
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer
from faceswap.registry import Version
from faceswap.registry.cards import version_card
from faceswap.settings import settings
from tests.model.fakes import FakeFaces
from tests.model.training.test_trainer import Notes

V1 = Path(__file__).parents[1] / "fixtures" / "v1"
pytestmark = pytest.mark.usefixtures("database")


def drawn_then() -> tuple[np.ndarray, np.ndarray]:
    """Crops, and what was drawn of them."""
    with np.load(V1 / "pixels.npz") as stored:
        return stored["crops"], stored["generated"]


@pytest.fixture
def encoder_at_hand() -> Iterator[Path]:
    """The version's encoder in the cache, as after a download from its run."""
    card = version_card.read(V1 / "card.json")
    folder = settings().cache_path / "encoders" / card.encoder_digest
    folder.mkdir(parents=True)
    yield Path(shutil.copy(V1 / "encoder.keras", folder))


def registered_then(home: Path) -> Version:
    """The version as the first release registered it: card and decoder in a logged model, no graph, its tags."""
    client, tags = tracking.connect(), json.loads((V1 / "tags.json").read_text())
    with tracking.run("training", "train") as run:
        client.log_artifact(run.run_id, str(V1 / "encoder.keras"), "encoder")
    card = version_card.read(V1 / "card.json")
    folder = home / "model" / "artifacts"
    folder.mkdir(parents=True)
    shutil.copy(V1 / "decoder.keras", folder)
    # only its run has another number here
    text = (V1 / "card.json").read_text().replace(card.run_id, run.run_id)
    (folder / "card.json").write_text(text)
    experiment = client.get_run(run.run_id).info.experiment_id
    model = client.create_logged_model(experiment, "face-ada", run.run_id)
    client.log_model_artifacts(model.model_id, str(home / "model"))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.create_registered_model("face-ada")
    made = client.create_model_version(
        "face-ada",
        source=f"models:/{model.model_id}",
        tags=tags | {"run_id": run.run_id},
        model_id=model.model_id,  # a server asks for it, a database of files does not
    )
    return Version("face-ada", int(made.version))


def test_a_registered_version(home: Path) -> None:
    version = registered_then(home)
    crops, expected = drawn_then()
    loaded = registry.load(version)
    np.testing.assert_allclose(loaded.network(crops), expected, atol=1e-4)
    with mock.patch.object(graph_export, "write_graph", side_effect=AssertionError("made again")):
        again = registry.load(version)
    np.testing.assert_array_equal(again.network(crops), loaded.network(crops))
    encoder, decoder = registry.keras_networks(loaded)
    assert decoder(encoder(crops / np.float32(255))).shape == expected.shape


def test_a_damaged_file_of_it_is_fetched_anew(home: Path) -> None:
    version = registered_then(home)
    crops, expected = drawn_then()
    registry.load(version)
    for name in ("encoder.keras", "decoder.keras"):
        (file,) = settings().cache_path.rglob(name)
        file.write_bytes(file.read_bytes()[:5000])
        shutil.rmtree(settings().cache_path / "graphs")
        np.testing.assert_allclose(registry.load(version).network(crops), expected, atol=1e-4)


def test_its_files_alone(encoder_at_hand: Path) -> None:
    """As the code that is stored with old versions asks: ``load_files(card, decoder)``."""
    loaded = registry.load_files(V1 / "card.json", V1 / "decoder.keras")
    crops, expected = drawn_then()
    np.testing.assert_allclose(loaded.network(crops), expected, atol=1e-4)
    assert loaded.card.graph_digest == ""


def test_its_code_in_mlflow(encoder_at_hand: Path, tmp_path: Path) -> None:
    code = Path(shutil.copy(V1 / "registered_model.txt", tmp_path / "registered_model.py"))
    artifacts = {"card": str(V1 / "card.json"), "decoder": str(V1 / "decoder.keras")}
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"), python_model=str(code), artifacts=artifacts, pip_requirements=[]
    )
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model")).unwrap_python_model()
    crops, expected = drawn_then()
    np.testing.assert_allclose(loaded.swapper.network(crops), expected, atol=1e-4)


def test_a_face_set() -> None:
    faces = FaceSet.load(str(V1 / "face-set"))
    assert (faces.identity, faces.count()) == ("ada", len(faces.images()))
    assert faces.count("heldout") > 0
    assert faces.consent is not None
    assert faces.consent.fictional
    card = version_card.read(V1 / "card.json")
    assert card.face_sets["ada"]["digest"] == faces.digest
    np.testing.assert_allclose(card.embedding(), faces.mean_embedding)


def test_a_checkpoint(tmp_path: Path) -> None:
    """Its weights are those that were exported from it, and the training goes on from its step."""
    folder = Path(shutil.copytree(V1 / "checkpoint", tmp_path / "checkpoint"))
    state = Checkpoints(folder).latest()
    assert state is not None
    recipe = Preset.model_validate(state.preset)
    sets = {"ada": FaceSet.load(str(V1 / "face-set")), "emeric": FakeFaces("emeric", (90, 120, 200))}
    trainer = Trainer(
        TrainingData(sets, recipe),  # type: ignore[arg-type]
        recipe,
        TrainingOptions(budget=Budget(steps=62), seed=1),
        folder,
        Notes(),
        face_sets=state.face_sets,
        run_id=state.run_id,
    )
    assert trainer.resume() == 60
    card = version_card.read(V1 / "card.json")
    assert weights_digest(trainer.model.encoder) == card.encoder_digest
    assert weights_digest(trainer.model.decoders[0]) == card.decoder_digest
    assert trainer.train().steps == 62


@pytest.mark.parametrize(
    "name",
    [
        "faces.detection.FaceFinder",
        "registry.origin.provenance",
        "registry.load_files",
        "swap.swapper.Swapper",
    ],
)
def test_what_stored_code_imports_is_where_it_was(name: str) -> None:
    """All that ``faceswap/registered_model.py`` has imported in the package's history."""
    assert callable(pkgutil.resolve_name(f"faceswap.{name}"))
