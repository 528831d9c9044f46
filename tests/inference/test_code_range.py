import base64
import io
from dataclasses import fields

import keras
import numpy as np
import pytest
from keras import ops

from faceswap.errors import RegistryError
from faceswap.inference.code_range import CodeRange, Within
from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.model.networks.architecture import build_decoder, build_encoder, split_encoder
from tests.model.training.test_trainer import TINY

MEAN = np.array([3.0, -1.0, 0.5, 0.0, 2.0], np.float32)
AXES = np.array([(1, 0, 0, 0, 0), (0, 0.6, 0.8, 0, 0)])
"""Codes vary along these, by 2 and by 0.5; the other three directions are never seen."""
DEVIATIONS = np.array([2.0, 0.5])


def codes(count: int, seed: int, noise: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    along = rng.standard_normal((count, 2)) * DEVIATIONS
    return (MEAN + along @ AXES + noise * rng.standard_normal((count, 5))).astype(np.float32)


def found(train: np.ndarray, heldout: np.ndarray, readings: np.ndarray | None = None) -> CodeRange:
    fitted = CodeRange.fit(train, heldout, readings)
    assert fitted is not None
    return fitted


def drawn_back(limits: CodeRange, *code: np.ndarray) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(Within(limits)(np.stack(code).astype(np.float32))))


def test_axes_and_deviations_are_those_that_the_codes_were_made_with() -> None:
    limits = found(codes(20_000, 0, noise=1e-3), codes(500, 1, noise=1e-3))
    assert limits.axes.shape == (2, 5)
    np.testing.assert_allclose(np.abs(limits.axes @ AXES.T), np.eye(2), atol=0.02)
    np.testing.assert_allclose(limits.deviations, DEVIATIONS, rtol=0.03)
    # twice the squared distance is chi-squared with two degrees of freedom: -2 ln 0.05 at the 95th per cent
    assert limits.within == pytest.approx(np.sqrt(-np.log(0.05)), rel=0.1)
    assert limits.beyond == pytest.approx(1e-3 * np.sqrt(7.815), rel=0.1)  # three degrees of freedom


def test_what_lies_within_stays() -> None:
    limits = found(codes(1000, 0), codes(200, 1))
    inside = MEAN + np.array([(1.0, 0.2), (-2.0, -0.4), (0.0, 0.0)]) @ AXES
    np.testing.assert_allclose(drawn_back(limits, *inside), inside, atol=1e-4)


def test_what_lies_beyond_comes_back_in_its_direction() -> None:
    limits = found(codes(1000, 0, noise=0.01), codes(200, 1, noise=0.01))
    unseen = np.array([0, -0.8, 0.6, 0, 0])
    far, off = MEAN + 40 * AXES[0], MEAN + 7 * unseen
    back, flat = drawn_back(limits, far, off)
    along = (back - limits.mean) @ limits.axes.T / limits.deviations
    assert np.sqrt(np.mean(along**2)) == pytest.approx(limits.within, rel=1e-3)
    assert (back - MEAN)[0] > 3
    assert np.linalg.norm((back - MEAN)[1:]) < 0.15
    offset = flat - limits.mean
    across = offset - offset @ limits.axes.T @ limits.axes
    assert np.linalg.norm(across) == pytest.approx(limits.beyond, rel=1e-3)
    assert across @ unseen > 0.99 * limits.beyond


def test_it_keeps_the_held_out_faces_that_it_was_measured_on() -> None:
    held = codes(400, 1, noise=0.3)
    limits = found(codes(1000, 0, noise=0.3), held)
    moved = np.linalg.norm(drawn_back(limits, *held) - held, axis=1)
    assert 0.88 < np.mean(moved < 1e-3) < 0.96  # a twentieth along, a twentieth across the axes


@pytest.mark.parametrize("error", [0.01, 1.0, 4.0])
def test_what_is_read_of_a_code_is_kept_as_far_as_it_is_certain(error: float) -> None:
    known = codes(20_000, 0, noise=0.01), codes(200, 1, noise=0.01)
    readings = (AXES[:1] / error).astype(np.float32)
    far = MEAN + np.array([20.0, -0.3]) @ AXES
    plain, kept = drawn_back(found(*known), far)[0], drawn_back(found(*known, readings), far)[0]
    gain = 4 / (4 + error**2)  # of two normal distributions: variance of the codes, of the error
    assert (kept - plain) @ AXES[0] == pytest.approx(gain * (far - plain) @ AXES[0], rel=0.03)
    assert abs((kept - plain) @ AXES[1]) < 0.05
    inside = MEAN + np.array([1.0, 0.2]) @ AXES
    np.testing.assert_allclose(drawn_back(found(*known, readings), inside), inside[None], atol=0.02)


def test_what_an_identity_never_shows_is_not_forced_on_it() -> None:
    known = codes(1000, 0, noise=0.01), codes(200, 1, noise=0.01)
    unseen = np.array([[0, -0.8, 0.6, 0, 0]], np.float32)
    off = MEAN + 7 * unseen[0]
    np.testing.assert_allclose(
        drawn_back(found(*known, unseen), off), drawn_back(found(*known), off), atol=0.02
    )


def test_packed_and_unpacked_it_is_the_same() -> None:
    limits = found(codes(50, 0, noise=0.1), codes(20, 1, noise=0.1), AXES.astype(np.float32))
    again = CodeRange.unpack(limits.pack())
    for name in ("mean", "axes", "deviations", "readings"):
        np.testing.assert_array_equal(getattr(again, name), getattr(limits, name))
    assert (again.within, again.beyond) == pytest.approx((limits.within, limits.beyond), rel=1e-6)


def test_versions_of_before_keep_no_readings() -> None:
    limits = found(codes(50, 0), codes(20, 1))
    buffer = io.BytesIO()
    stored = {field.name: getattr(limits, field.name) for field in fields(CodeRange)}
    del stored["readings"]
    np.savez(buffer, **stored)
    again = CodeRange.unpack(base64.b64encode(buffer.getvalue()).decode())
    far = MEAN + 40 * AXES[0]
    np.testing.assert_array_equal(drawn_back(again, far), drawn_back(limits, far))


@pytest.mark.parametrize("text", ["AAAA", "not base64", ""])
def test_a_damaged_range_says_so(text: str) -> None:
    with pytest.raises(RegistryError, match="range of codes"):
        CodeRange.unpack(text)


def test_nothing_to_measure_by_gives_no_range() -> None:
    assert CodeRange.fit(codes(20, 0), codes(0, 1)) is None
    assert CodeRange.fit(np.ones((9, 5), np.float32), codes(3, 1)) is None
    assert CodeRange.fit(codes(1, 0), codes(3, 1)) is None
    assert CodeRange.fit(codes(20, 0), np.full((3, 5), np.nan, np.float32)) is None
    assert CodeRange.fit(np.full((20, 5), np.inf, np.float32), codes(3, 1)) is None


def test_a_network_draws_the_code_that_was_drawn_back() -> None:
    keras.utils.set_random_seed(1)
    tiny = TINY.with_(icnr=False)  # whose first pictures differ little, so that the tolerance means something
    encoder, decoder = build_encoder(tiny), build_decoder(tiny, "ada")
    crops = np.random.default_rng(0).integers(0, 256, (24, TINY.size, TINY.size, 3), np.uint8)
    to_code, to_features = split_encoder(encoder)
    known = np.asarray(to_code.predict_on_batch(crops / np.float32(255)))
    wide, narrow = found(known, 100 * known), found(known, known.mean(axis=0, keepdims=True))
    plain = DecoderNetwork(encoder, decoder, TINY.geometry)(crops)
    np.testing.assert_allclose(
        DecoderNetwork(encoder, decoder, TINY.geometry, codes=wide)(crops), plain, atol=1e-4
    )
    always = np.asarray(decoder(to_features(known.mean(axis=0, keepdims=True))))
    same = DecoderNetwork(encoder, decoder, TINY.geometry, codes=narrow)(crops)
    np.testing.assert_allclose(same, np.repeat(always, 24, axis=0), atol=1e-3)
    assert np.abs(plain - same).max() > 5 * np.abs(same - always).max()
