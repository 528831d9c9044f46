"""The occlusion network: its lessons, its loss, its weights, and what those that are shipped see."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest

from faceswap.errors import TrainingError
from faceswap.inference.occlusion import occlusion_network
from faceswap.model import weights
from faceswap.model.networks.occlusion_network import build_occlusion_network, save_occlusion_network
from faceswap.model.networks.predictor import Predictor
from faceswap.model.segmentation_view import NAME, VIEW
from faceswap.model.priors.bare_faces import Faces, MaskOptions, render_faces
from faceswap.model.priors.occlusion_training import OccludedFaces, falling_rate, hidden_loss, learn_masks
from faceswap.model.training.checkpoints import Checkpoints

OPTIONS = MaskOptions(people=2, scenes=3, render_size=128, steps=1, batch_size=4)


@pytest.fixture(scope="module")
def faces() -> Faces:
    return render_faces(OPTIONS, 1, lambda *_: None)


def test_lessons_repeat_and_say_where_the_face_counts(faces: Faces) -> None:
    data = OccludedFaces(faces, OPTIONS, range(10, 20))
    x, y = data[3]
    assert x.shape == (4, VIEW.size, VIEW.size, 3) and y.shape == (4, VIEW.size, VIEW.size, 2)
    for values in (x, y):
        assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
    np.testing.assert_array_equal(OccludedFaces(faces, OPTIONS, range(13, 14))[0][0], x)
    assert not np.array_equal(data[4][0], x)
    assert len(data) == 10
    # the face fills the middle of the crop and not its corners
    assert y[:, 48, 48, 1].min() == 1 and y[:, 0, 0, 1].max() == 0


def test_three_of_four_faces_are_behind_something(faces: Faces) -> None:
    data = OccludedFaces(faces, OPTIONS, range(1))
    covered = [
        float((y[..., 0] * y[..., 1]).sum() / y[..., 1].sum())
        for _, y in (data.example(i % 6, np.random.default_rng(i)) for i in range(60))
    ]
    assert 0.4 < np.mean(np.array(covered) > 0.03) < 0.95


def test_the_loss_in_closed_form() -> None:
    truth = np.zeros((1, 10, 10, 2), np.float32)
    truth[0, :5, :, 0] = 1
    truth[0, :, :8, 1] = 1  # 80 pixels count, 40 of them are hidden
    half = np.full((1, 10, 10, 1), 0.5, np.float32)
    dice = 1 - (2 * 20 + 30) / (40 + 80 / 4 + 30)
    found = float(keras.ops.convert_to_numpy(hidden_loss(truth, half))[0])
    assert found == pytest.approx(math.log(2) + 0.5 * dice, abs=1e-5)
    right = truth[..., :1].copy()
    right[0, :, 8:] = 0.7  # what lies outside does not count
    assert float(keras.ops.convert_to_numpy(hidden_loss(truth, right))[0]) < 1e-3


def test_training_lowers_the_loss_and_tells_of_it(faces: Faces, tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    options = OPTIONS.model_copy(update={"steps": 30})
    model = learn_masks(
        faces, options, lambda step, values: told.append((step, values["loss"])), tmp_path
    )
    assert [step for step, _ in told] == [30]
    x, y = OccludedFaces(faces, options, range(1))[0]
    fresh = build_occlusion_network()

    def loss_of(network: keras.Model) -> float:
        return float(np.mean(keras.ops.convert_to_numpy(hidden_loss(y, network(x, training=True)))))

    assert loss_of(model) < loss_of(fresh)


def test_an_interrupted_training_goes_on_and_takes_all_its_steps(
    faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.model.priors.occlusion_training._SITTING", 4)
    options = OPTIONS.model_copy(update={"steps": 11, "batch_size": 2})
    drawn: list[int] = []
    draw = OccludedFaces.__getitem__

    def noted(self: OccludedFaces, index: int) -> object:
        drawn.append(self.steps[index])
        return draw(self, index)

    monkeypatch.setattr(OccludedFaces, "__getitem__", noted)

    def interrupt(step: int, _: dict[str, float]) -> None:
        if step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_masks(faces, options, interrupt, tmp_path, "run 1")
    assert Checkpoints(tmp_path).latest().run_id == "run 1"  # type: ignore[union-attr]
    drawn.clear()
    told: list[int] = []
    model = learn_masks(faces, options, lambda step, _: told.append(step), tmp_path)
    assert told == [8, 11]
    assert set(drawn) == set(range(4, 11))
    whole = learn_masks(faces, options, lambda *_: None, tmp_path / "whole")
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("steps", [1, 30, 299, 6000])
def test_the_rate_has_fallen_at_the_last_step(steps: int) -> None:
    options = OPTIONS.model_copy(update={"steps": steps})
    rates = [float(falling_rate(options)(step)) for step in range(steps)]
    if steps > 1:
        assert max(rates) == pytest.approx(options.learning_rate, rel=1e-2)
        assert rates[-1] == pytest.approx(0.02 * options.learning_rate, rel=1e-2)
    assert np.argmax(rates) <= 100


def test_weights_come_back(tmp_path: Path, home: Path) -> None:
    model = build_occlusion_network()
    digest = save_occlusion_network(model, weights.made_at(NAME), {"steps": 7})
    assert weights.find(NAME) == weights.made_at(NAME)
    assert weights.digest(weights.made_at(NAME)) == digest
    assert weights.about(weights.made_at(NAME)) == {"steps": 7}
    crops = np.random.default_rng(0).integers(0, 256, (3, VIEW.size, VIEW.size, 3), dtype=np.uint8)
    found = occlusion_network()(crops)
    assert found.shape == (3, VIEW.size, VIEW.size) and found.dtype == np.float32
    np.testing.assert_allclose(found, Predictor(model)(crops)[..., 0], atol=1e-4)


def test_damaged_or_foreign_weights_say_what_to_do(home: Path) -> None:
    path = weights.made_at(NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no weights")
    with pytest.raises(TrainingError, match="learn-masks"):
        occlusion_network()
    weights.write(path.with_name("other.npz"), {"000": np.zeros(3)}, {})
    path.with_name("other.npz").replace(path)
    with pytest.raises(TrainingError, match="another network"):
        occlusion_network()


def test_the_packages_weights_say_where_they_come_from() -> None:
    path = weights.find(NAME)
    assert path is not None and path.stat().st_size < 2e6
    about = weights.about(path)
    assert {"run_id", "people", "steps", "seed"} <= set(about)
