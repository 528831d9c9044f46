import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswap.errors import TrainingError
from faceswap.model import weights
from faceswap.model.options import PretrainingOptions
from faceswap.model.presets import preset
from faceswap.model.priors.pretraining import (
    ANYBODY,
    STAND_IN,
    FictionalData,
    Rendered,
    fitting,
    pretraining_preset,
    render_pairs,
)
from faceswap.model.priors.prior import prior_file, save_prior, take_prior
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.synthetic import CAST, Scene, random_person, render
from tests.model.training.test_trainer import TINY


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    options = PretrainingOptions(people=3, scenes=3, render_size=128, steps=1)
    return render_pairs(options, 1, lambda *_: None)


def sample_of(
    seed: int, identities: tuple[str, ...] = (ANYBODY, STAND_IN), **changes: object
) -> Autoencoders:
    import keras

    keras.utils.set_random_seed(seed)
    return Autoencoders(TINY.with_(**changes), identities)


def test_weights_come_back_for_every_decoder(tmp_path: Path) -> None:
    source = sample_of(1)
    digest = save_prior(source, STAND_IN, tmp_path / "tiny.npz", {"steps": 7})
    model = sample_of(2, ("a", "b", "c"))
    taken = take_prior(model, tmp_path / "tiny.npz")
    assert (taken.digest, taken.share) == (digest, 1.0)
    for decoder in model.decoders:
        for own, theirs in zip(decoder.get_weights(), source.decoders[1].get_weights(), strict=True):
            np.testing.assert_allclose(own, theirs, rtol=1e-3, atol=1e-6)
    for own, theirs in zip(model.encoder.get_weights(), source.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-3, atol=1e-6)
    assert weights.about(tmp_path / "tiny.npz")["steps"] == 7


def test_another_bottleneck_takes_what_fits(tmp_path: Path) -> None:
    source = sample_of(1)
    save_prior(source, STAND_IN, tmp_path / "tiny.npz", {})
    model = sample_of(2, bottleneck=24)
    dense = model.encoder.get_layer("bottleneck").get_weights()[0].copy()
    taken = take_prior(model, tmp_path / "tiny.npz")
    assert 0 < taken.share < 1
    np.testing.assert_array_equal(model.encoder.get_layer("bottleneck").get_weights()[0], dense)
    np.testing.assert_allclose(
        model.encoder.get_weights()[0], source.encoder.get_weights()[0], rtol=1e-3, atol=1e-6
    )


def test_a_prior_of_before_faces_were_whole_is_laid_where_they_were(tmp_path: Path) -> None:
    """It draws what it drew, in the middle of the larger crop; and what a larger one knows fits there, too."""
    inner = {
        "size": 64,
        "coverage": 1.5,
        "centre": 0.0,
        "encoder_coverage": 0.0,
        "code_grid": 8,
        "code_columns": 0,
    }
    before, after = sample_of(1, **inner), sample_of(2, centre=-0.1875)
    save_prior(before, STAND_IN, tmp_path / "before.npz", {})
    assert take_prior(after, tmp_path / "before.npz").share == 1.0
    picture = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), dtype=np.uint8)
    left, top, side = after.preset.encoder_window
    seen = picture[:, top : top + side, left : left + side]
    np.testing.assert_allclose(
        after.reconstruct(picture, 1)[:, top + 16 : top + 48, left + 8 : left + 56],
        before.reconstruct(seen, 1)[:, 16:48, 8:56],
        atol=0.01,
    )
    save_prior(after, STAND_IN, tmp_path / "after.npz", {})
    again = sample_of(3, **inner)
    assert take_prior(again, tmp_path / "after.npz").share == 1.0
    np.testing.assert_allclose(again.reconstruct(seen, 1), before.reconstruct(seen, 1), atol=0.01)


def test_a_damaged_prior_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prior.npz"
    file.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(TrainingError, match=r"prior\.npz"):
        take_prior(sample_of(1), file)


def test_the_packages_own_prior_fits_its_preset() -> None:
    file = prior_file(preset("lite"))
    assert file is not None
    assert file.stat().st_size < 15e6
    assert take_prior(Autoencoders(preset("lite"), ("a", "b")), file).share == 1.0
    assert json.dumps(weights.about(file))
    assert prior_file(preset("original")) is None


@pytest.mark.parametrize(("name", "least", "likeness"), [("hd128", 1.0, 0.95), ("hd256", 0.99, 0.0)])
def test_larger_presets_start_from_lites_prior(name: str, least: float, likeness: float) -> None:
    lite, larger = preset("lite"), preset(name)
    file = prior_file(larger)
    assert file is not None
    assert file == prior_file(lite)
    picture = render(random_person(5000), Scene(), 512)
    marks = picture.landmarks.astype(float)
    drawn = []
    for recipe in (lite, larger):
        model = Autoencoders(recipe, ("a",))
        assert take_prior(model, file).share >= least
        crop = recipe.geometry.crop(picture.image, recipe.geometry.matrix(marks))
        drawn.append(
            cv2.resize(model.reconstruct(crop[None], 0)[0], (144, 144), interpolation=cv2.INTER_AREA)
        )
    if likeness:  # every weight is there: much the same face, before a step is trained
        assert np.corrcoef(drawn[0].ravel(), drawn[1].ravel())[0, 1] > likeness


def test_a_pair_shows_two_people_in_one_scene(rendered: Rendered) -> None:
    assert rendered.crops.shape == (3, 3, 2, 98, 98, 3)
    people, stand_in = rendered.crops[:, :, 0], rendered.crops[:, :, 1]
    assert abs(people.astype(float) - stand_in).mean() > 3, "two looks"
    # the same expression and pose: landmarks differ by proportions only, the same in every scene
    offsets = rendered.landmarks[:, :, 0] - rendered.landmarks[:, :, 1]
    assert np.linalg.norm(offsets - offsets.mean(axis=1, keepdims=True), axis=-1).mean() < 2.0
    assert {random_person(3000 + n).seed for n in range(3)}.isdisjoint(one.seed for one in CAST)


def test_a_larger_preset_has_larger_pictures_rendered() -> None:
    options = PretrainingOptions()
    assert fitting(options, "lite") == options
    # 384 px over 2.25 face heights, three quarters of the detail, in a crop of 2.6 that is 0.765 of the picture: 435
    assert fitting(options, "hd256").render_size == 448
    assert fitting(PretrainingOptions(render_size=450), "hd256").render_size == 450


def test_batches_depend_on_seed_and_step_alone(rendered: Rendered) -> None:
    recipe = pretraining_preset("lite", PretrainingOptions(batch_size=3))
    data = FictionalData(rendered, recipe)
    (x, y), (again, _), (other, _) = data.batch(1, 2, 0.0), data.batch(1, 2, 0.0), data.batch(1, 3, 0.0)
    np.testing.assert_array_equal(x, again)
    assert abs(x - other).mean() > 0.01
    size = recipe.size
    assert x.shape == (2, 3, size, size, 3)
    assert y["picture"].shape == (2, 3, size, size, 4)
    assert 0 <= x.min() <= x.max() <= 1
    assert set(data.heldout) == {ANYBODY, STAND_IN}
