"""The segmentation network: its lessons, its loss, its weights, and what those that are shipped see."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest

from faceswap.errors import TrainingError
from faceswap.inference.segmentation import segmentation_network
from faceswap.model import weights
from faceswap.model.networks.predictor import Predictor
from faceswap.model.networks.segmentation_network import build_segmentation_network, save_segmentation_network
from faceswap.model.options import MaskOptions
from faceswap.model.priors.mask_lessons import MaskLessons
from faceswap.model.priors.mask_training import falling_rate, learn_masks, segment_loss
from faceswap.model.priors.rendered_people import RenderedPeople, render_people
from faceswap.model.segmentation_view import NAME, VIEW
from faceswap.model.training.checkpoints import Checkpoints

OPTIONS = MaskOptions(people=2, scenes=3, render_size=128, steps=1, batch_size=4)


@pytest.fixture(scope="module")
def faces() -> RenderedPeople:
    return render_people(OPTIONS, 1, lambda *_: None)


def test_lessons_repeat(faces: RenderedPeople) -> None:
    data = MaskLessons(faces, OPTIONS, range(10, 20))
    x, y = data[3]
    assert x.shape == (4, VIEW.size, VIEW.size, 3) and y.shape == (4, VIEW.size, VIEW.size, 4)
    for values in (x, y):
        assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
    np.testing.assert_allclose(y.sum(-1), 1, atol=0.02)
    np.testing.assert_array_equal(MaskLessons(faces, OPTIONS, range(13, 14))[0][0], x)
    assert not np.array_equal(data[4][0], x)
    assert len(data) == 10


def test_lessons_have_all_that_lies_around_and_over_faces(faces: RenderedPeople) -> None:
    data = MaskLessons(faces, OPTIONS, range(1))
    middle = np.s_[VIEW.size // 3 : VIEW.size * 3 // 4, VIEW.size // 3 : VIEW.size * 2 // 3]
    made = [data.example(i % 6, np.random.default_rng(i)) for i in range(60)]
    whole = np.array([y.mean((0, 1)) for _, y in made])
    inner = np.array([y[middle].mean((0, 1)) for _, y in made])
    assert (whole.mean(0)[[0, 1, 3]] > 0.1).all()
    assert inner.mean(0)[0] > 0.5  # the face fills the middle
    shares = (inner > 0.02).mean(0)  # of the faces over which each of them lies
    assert (shares[1:] > 0.1).all() and (shares[1:] < 0.95).all()


def test_the_loss_in_closed_form() -> None:
    truth = np.zeros((1, 10, 10, 4), np.float32)
    truth[0, :5, :, 0] = 1
    truth[0, 5:, :, 3] = 1
    even = np.full((1, 10, 10, 4), 0.25, np.float32)
    half, none = 1 - (2 * 12.5 + 30) / (50 + 6.25 + 30), 1 - 30 / (6.25 + 30)
    found = float(keras.ops.convert_to_numpy(segment_loss(truth, even))[0])
    assert found == pytest.approx(math.log(4) + 0.5 * (2 * half + 2 * none) / 4, abs=1e-5)
    assert float(keras.ops.convert_to_numpy(segment_loss(truth, truth))[0]) < 1e-3
    glasses = np.roll(truth, 2, axis=-1)  # where there were skin and other, there are glasses and hair
    wrong = float(keras.ops.convert_to_numpy(segment_loss(glasses, even))[0])
    assert wrong == pytest.approx(math.log(4) * (0.5 * 3 + 0.5) + 0.5 * (2 * half + 2 * none) / 4, abs=1e-5)


def test_training_lowers_the_loss_and_tells_of_it(faces: RenderedPeople, tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    options = OPTIONS.model_copy(update={"steps": 30})
    model = learn_masks(faces, options, lambda step, values: told.append((step, values["loss"])), tmp_path)
    assert [step for step, _ in told] == [30]
    x, y = MaskLessons(faces, options, range(1))[0]
    fresh = build_segmentation_network()

    def loss_of(network: keras.Model) -> float:
        return float(np.mean(keras.ops.convert_to_numpy(segment_loss(y, network(x, training=True)))))

    assert loss_of(model) < loss_of(fresh)


def test_an_interrupted_training_goes_on_and_takes_all_its_steps(
    faces: RenderedPeople, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.model.priors.mask_training._SITTING", 4)
    options = OPTIONS.model_copy(update={"steps": 11, "batch_size": 2})
    drawn: list[int] = []
    draw = MaskLessons.__getitem__

    def noted(self: MaskLessons, index: int) -> object:
        drawn.append(self.steps[index])
        return draw(self, index)

    monkeypatch.setattr(MaskLessons, "__getitem__", noted)

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
    model = build_segmentation_network()
    digest = save_segmentation_network(model, weights.made_at(NAME), {"steps": 7})
    assert weights.find(NAME) == weights.made_at(NAME)
    assert weights.digest(weights.made_at(NAME)) == digest
    assert weights.about(weights.made_at(NAME)) == {"steps": 7}
    crops = np.random.default_rng(0).integers(0, 256, (3, VIEW.size, VIEW.size, 3), dtype=np.uint8)
    found = segmentation_network()(crops)
    assert found.shape == (3, VIEW.size, VIEW.size, 4) and found.dtype == np.float32
    np.testing.assert_allclose(found, Predictor(model)(crops), atol=1e-4)


def test_damaged_or_foreign_weights_say_what_to_do(home: Path) -> None:
    path = weights.made_at(NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no weights")
    with pytest.raises(TrainingError, match="learn-masks"):
        segmentation_network()
    weights.write(path.with_name("other.npz"), {"000": np.zeros(3)}, {})
    path.with_name("other.npz").replace(path)
    with pytest.raises(TrainingError, match="another network"):
        segmentation_network()


def test_the_packages_weights_say_where_they_come_from() -> None:
    path = weights.find(NAME)
    assert path is not None and path.stat().st_size < 10e6
    about = weights.about(path)
    assert {"run_id", "people", "steps", "seed"} <= set(about)
