import numpy as np
import pytest

from faceswap.errors import FaceSetError
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.geometry import Geometry
from faceswap.model.presets import Preset, preset
from faceswap.model.training.dataset import Feeder, TrainingData
from faceswap.model.training.more_views import MoreViews
from tests.model.fakes import GEOMETRY, FakeFaces

TINY = preset("lite").with_(size=96, code_grid=12, code_columns=8, batch_size=3)


UNDISGUISED = TINY.with_(augmentation={"tint": 0, "surroundings": 0})


def data(recipe: Preset = TINY) -> TrainingData:
    return TrainingData(
        {"ann": FakeFaces("ann", (200, 120, 90)), "bob": FakeFaces("bob", (90, 120, 200))}, recipe
    )


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, two = data().batch(1, 7, 0.5), data().batch(1, 7, 0.5)
    np.testing.assert_array_equal(one[0], two[0])
    assert abs(one[0] - data().batch(1, 8, 0.5)[0]).max() > 0
    assert one[0].shape == (2, 3, 96, 96, 3)
    assert one[1]["picture"].shape == (2, 3, 96, 96, 4)


def test_channels_stay_rgb() -> None:
    """The tutorial fed BGR pictures to models that were trained on RGB."""
    x, y = data(UNDISGUISED).batch(0, 0, 0.0)
    for pictures in (x, y["picture"]):
        assert pictures[0, ..., 0].mean() > pictures[0, ..., 2].mean() + 0.2
        assert pictures[1, ..., 2].mean() > pictures[1, ..., 0].mean() + 0.2


def test_held_out_faces_are_never_trained_on() -> None:
    faces = FakeFaces("ann", (200, 120, 90))
    held = TrainingData({"ann": faces}, TINY).heldout["ann"]
    assert len(held) == len(faces.images("heldout")) == 4
    assert len(TrainingData({"ann": faces}, TINY).train["ann"]) == 16


def test_feeder_gives_the_batches_in_order_also_after_a_restart() -> None:
    source = data()
    feeder = Feeder(source, seed=5)
    try:
        for step in (0, 1, 2):
            np.testing.assert_array_equal(feeder.get(step, [0.0] * 4)[0], source.batch(5, step, 0.0)[0])
        feeder.restart()
        np.testing.assert_array_equal(feeder.get(1, [0.0] * 4)[0], source.batch(5, 1, 0.0)[0])
    finally:
        feeder.close()


def test_what_lies_over_faces_is_only_looked_for_where_the_weights_ask_for_it() -> None:
    asked: list[tuple[int, ...]] = []

    def nothing_seen(crops: np.ndarray, marks: np.ndarray) -> np.ndarray:
        asked.append((*crops.shape[:3], *marks.shape[1:]))
        return np.zeros(crops.shape[:3], np.float32)

    faces = {"ann": FakeFaces("ann", (200, 120, 90))}
    even = TrainingData(faces, TINY.with_(loss={"covered": 1.0}), nothing_seen)
    assert asked == []
    uneven = TrainingData(faces, TINY, nothing_seen)
    (one,) = asked
    assert one[1] == one[2] < GEOMETRY.size, "as large as pairs are drawn from"
    assert (one[0], one[3:]) == (16, (68, 2))
    np.testing.assert_array_equal(even.train["ann"], TrainingData(faces, TINY).train["ann"])
    assert uneven.train["ann"][..., 3].mean() < 0.9 * even.train["ann"][..., 3].mean()


def test_who_is_hidden_on_one_side_is_learnt_in_a_mirror_too() -> None:
    def left_brow_hidden(crops: np.ndarray, marks: np.ndarray) -> np.ndarray:
        seen = np.ones(crops.shape[:3], np.float32)
        seen[:, : crops.shape[1] // 2, : crops.shape[1] // 2] = 0
        return seen

    faces = {"ann": FakeFaces("ann", (200, 120, 90))}
    plain, more = TrainingData(faces, TINY), TrainingData(faces, TINY, left_brow_hidden)
    extra = len(more.train["ann"]) - len(plain.train["ann"])
    assert extra == 8
    assert more.views == {"ann": MoreViews(0.5)}
    assert plain.views == {"ann": MoreViews()}
    assert len(more.landmarks["ann"]) == len(more.train["ann"])
    np.testing.assert_array_equal(more.train["ann"][-1, ..., :3], plain.train["ann"][-1, :, ::-1, :3])
    every = TrainingData(faces, TINY, lambda crops, marks: np.zeros(crops.shape[:3], np.float32))
    assert len(every.train["ann"]) == 16, "who is hidden on both sides is not"


def test_too_few_faces_and_too_tight_crops_are_named() -> None:
    with pytest.raises(FaceSetError, match="'ann' has 4 training faces"):
        TrainingData({"ann": FakeFaces("ann", (1, 2, 3), count=5)}, TINY)
    before = FakeFaces("ann", (1, 2, 3))
    before.geometry = Geometry(256, 2.2)  # what face sets had before faces were whole
    with pytest.raises(FaceSetError, match=r"coverage 2\.2, centre 0 .* show no whole faces") as refused:
        TrainingData({"ann": before}, TINY)
    assert "make it anew" in str(refused.value.fix)
    assert ExtractionOptions().geometry.margin_over(preset("lite").geometry) == pytest.approx(0.175)
    assert before.geometry.margin_over(preset("original").geometry) == pytest.approx(0.35)


def test_too_small_crops_are_refused_with_the_size_that_fits() -> None:
    faces = {name: FakeFaces(name, (150, 120, 90)) for name in ("one", "two")}
    with pytest.raises(FaceSetError, match=r"stores .* px where preset 'hd256' generates 384") as refused:
        TrainingData(faces, preset("hd256"))
    fitting = ExtractionOptions(size=304).fitting(preset("hd256").geometry)
    assert fitting.size == 448
    assert "--size 448" in str(refused.value.fix)
    assert ExtractionOptions().fitting(preset("lite").geometry) == ExtractionOptions()
