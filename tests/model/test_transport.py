import numpy as np
import pytest

from faceswap.model.architecture import build_decoder, build_encoder
from faceswap.model.clouds import CodeCloud, fit_clouds
from faceswap.model.network import DecoderNetwork
from faceswap.model.transport import Transport, clouds_of
from tests.model.test_trainer import TINY

DIMENSIONS = 6
RNG = np.random.default_rng(0)
ANN = RNG.normal(0, [1, 1, 2, 1, 1, 1], (4000, DIMENSIONS))
BOB = RNG.normal([5, 0, 0, 3, 0, 0], [1, 1, 1.5, 1, 1, 0.7], (4000, DIMENSIONS))
FAR = fit_clouds({"ann": ANN, "bob": BOB})


def moved(codes: np.ndarray, clouds: dict[str, CodeCloud], reference: str) -> np.ndarray:
    return np.asarray(Transport(clouds, reference)(codes.astype(np.float32)))


def test_a_target_s_codes_lie_where_the_reference_s_do() -> None:
    found = moved(ANN, FAR, "bob")
    np.testing.assert_allclose(found.mean(0), BOB.mean(0), atol=0.05)
    np.testing.assert_allclose(found.std(0), BOB.std(0), rtol=0.05)
    for axis in range(DIMENSIONS):  # what varies with the face goes on varying
        assert np.corrcoef(found[:, axis], ANN[:, axis])[0, 1] > 0.95


def test_the_reference_s_own_codes_stay() -> None:
    found = moved(BOB, FAR, "bob")
    assert np.median(np.abs(found - BOB)) < 0.01


def test_the_discriminants_are_those_of_two_gaussians() -> None:
    # With one covariance, log p(a|z) - log p(b|z) is linear in z and zero half-way between the means.
    score = {name: np.array(c.direction) for name, c in FAR.items()}
    half = (ANN.mean(0) + BOB.mean(0)) / 2
    tie = half @ (score["bob"] - score["ann"]) + FAR["bob"].bias - FAR["ann"].bias
    assert tie == pytest.approx(0, abs=1e-6)
    right = BOB @ (score["bob"] - score["ann"]) + FAR["bob"].bias - FAR["ann"].bias > 0
    assert right.mean() > 0.99


def test_a_dimension_that_never_varies_is_shifted_and_not_blown_up() -> None:
    flat = ANN.copy()
    flat[:, 1] = 2.0
    found = moved(flat, fit_clouds({"ann": flat, "bob": BOB}), "bob")
    assert np.isfinite(found).all()
    assert np.median(np.abs(found[:, 1] - BOB[:, 1].mean())) < 0.01


class Crops:
    """A face set of random crops that are aligned already."""

    def __init__(self, seed: int) -> None:
        from tests.swap.fakes import face_points

        rng = np.random.default_rng(seed)
        self.geometry = TINY.geometry
        self._images = rng.integers(0, 120 + 60 * seed, (20, 64, 64, 3)).astype(np.uint8)
        self._landmarks = np.stack([face_points(32, 32, 40) for _ in range(20)])

    def images(self, split: str | None = None) -> np.ndarray:
        return self._images

    def landmarks(self, split: str | None = None) -> np.ndarray:
        return self._landmarks


def test_a_network_with_clouds_draws_the_moved_code() -> None:
    encoder, decoder = build_encoder(TINY), build_decoder(TINY, "bob")
    sets = {"ann": Crops(1), "bob": Crops(2)}
    clouds = clouds_of(encoder, sets, TINY.geometry)
    assert set(clouds) == {"ann", "bob"}
    plain = DecoderNetwork(encoder, decoder, TINY.geometry)
    network = DecoderNetwork(encoder, decoder, TINY.geometry, clouds=clouds, reference="bob")
    crops = sets["ann"].images()[:3]
    assert np.abs(network(crops) - plain(crops)).max() > 1e-4
    assert network.nbytes == plain.nbytes
    same = dict.fromkeys(clouds, clouds["bob"])
    unmoved = DecoderNetwork(encoder, decoder, TINY.geometry, clouds=same, reference="bob")
    np.testing.assert_allclose(unmoved(crops), plain(crops), atol=1e-5)


def test_a_single_identity_has_nothing_to_be_moved_from() -> None:
    assert clouds_of(build_encoder(TINY), {"ann": Crops(1)}, TINY.geometry) == {}
