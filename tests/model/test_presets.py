import keras
import numpy as np
import pytest

from faceswap.errors import SettingsError
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.presets import PRESETS, Preset, preset


def test_original_is_the_tutorials_network() -> None:
    original = preset("original")
    encoder, decoder = build_encoder(original), build_decoder(original, "x")
    assert (encoder.count_params(), decoder.count_params()) == (69_662_976, 6_199_747)
    assert encoder.input_shape == (None, 64, 64, 3)
    assert decoder.output_shape == (None, 64, 64, 3)
    assert (original.learning_rate, original.beta_1, original.loss.mae, original.loss.dssim) == (
        5e-5,
        0.5,
        1,
        0,
    )


@pytest.mark.parametrize("name", PRESETS)
def test_shapes_and_round_trip(name: str) -> None:
    one = preset(name)
    assert Preset.model_validate_json(one.model_dump_json()) == one
    assert build_decoder(one, "x").output_shape == (None, one.size, one.size, 3)
    assert build_encoder(one).output_shape[1:] == build_decoder(one, "x").input_shape[1:]


def test_with_icnr_the_pixels_of_a_block_begin_alike() -> None:
    features = np.random.default_rng(0).normal(size=(1, 24, 16, 64)).astype(np.float32)
    spread = []
    for icnr in (True, False):
        decoder = build_decoder(preset("hd128").with_(icnr=icnr), "x")
        picture = keras.ops.convert_to_numpy(decoder(features))[:, :, 32:-32]
        block = picture.reshape(96, 2, 64, 2, 3)
        spread.append(float(np.ptp(block, axis=(1, 3)).mean()))
    assert spread[0] < 1e-6 < spread[1]


def test_what_lies_beside_a_face_is_neither_read_nor_generated() -> None:
    one = preset("lite")
    assert (one.encoder_window, one.geometry.beside) == ((24, 40, 96), 24)
    encoder = build_encoder(one)
    crops = np.random.default_rng(0).random((2, 144, 144, 3), np.float32)
    crops[1, 40:136, 24:120] = crops[0, 40:136, 24:120]
    features = keras.ops.convert_to_numpy(encoder(crops))
    np.testing.assert_allclose(features[0], features[1], atol=1e-6)
    picture = keras.ops.convert_to_numpy(build_decoder(one, "x")(features))[0]
    assert np.ptp(picture[:, :25], axis=1).max() == np.ptp(picture[:, -25:], axis=1).max() == 0
    assert np.ptp(picture[:, 24:48], axis=1).min() > 0


def test_bottleneck_is_a_setting() -> None:
    narrow = preset("lite").with_(bottleneck=16)
    assert build_encoder(narrow).get_layer("bottleneck").units == 16


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"bottelneck": 64}, "bottelneck"),
        ({"bottleneck": "wide"}, "bottleneck"),
        ({"size": 65}, "whole grid"),
        ({"decoder_filters": (64,)}, "doublings"),
        ({"feature_grid": 16}, "doublings .* feature_grid 16 don't give 144"),
        ({"encoder_size": 40}, "whole grid"),
        ({"encoder_size": 128}, "can't read 128 px of a crop of 96"),
        ({"encoder_coverage": 2.0}, "beyond the crop"),
        ({"code_columns": 11}, "in the middle"),
        ({"loss": {"ssim": 1}}, "loss.ssim"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        preset("lite").with_(**changes)


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(SettingsError, match="lite"):
        preset("heavy")
