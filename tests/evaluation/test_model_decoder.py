"""A decoder in memory generates what its registered version will generate."""

from pathlib import Path

import numpy as np

from faceswap.evaluation.model_decoder import ModelDecoder, OwnCrops
from faceswap.faces.faceset import FaceSet
from faceswap.inference.code_range import CodeRange
from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.model.training.model_files import export, read_model
from faceswap.model.training.more_views import MoreViews
from tests.model.fakes import FakeFaces
from tests.model.training.test_trainer import TINY, trainer


def test_it_generates_as_the_version_that_is_registered_of_it(tmp_path: Path) -> None:
    model = trainer(tmp_path / "work", 3).train().model
    decoder = model.decoders[1]
    decoder.set_weights(
        [3 * weights for weights in decoder.get_weights()]
    )  # hardly trained, it generates grey
    export(model, tmp_path / "export")
    encoder, decoder = (
        read_model(tmp_path / "export" / f"{name}.keras") for name in ("encoder", "decoder_bob")
    )
    faces: FaceSet = FakeFaces("bob", (90, 120, 200))  # type: ignore[assignment]
    own = OwnCrops.of(faces, TINY.geometry)
    assert own.train.shape == (16, TINY.size, TINY.size, 3)
    assert own.heldout.shape == (4, TINY.size, TINY.size, 3)
    in_memory = ModelDecoder(model, 1, own)
    codes = CodeRange.unpack(in_memory.packed_codes)
    registered = DecoderNetwork(encoder, decoder, TINY.geometry, codes=codes)
    unbounded = DecoderNetwork(encoder, decoder, TINY.geometry)
    strange = np.random.default_rng(0).integers(0, 256, (3, TINY.size, TINY.size, 3), np.uint8)
    generated = registered(strange)
    rounding = np.abs(in_memory(strange) - generated).mean()  # the model in memory may calculate in bfloat16
    assert rounding < 0.2 * np.abs(unbounded(strange) - generated).mean()


def test_without_held_out_faces_there_is_no_range(tmp_path: Path) -> None:
    model = trainer(tmp_path, 1).train().model
    own = OwnCrops.of(FakeFaces("bob", (90, 120, 200)), TINY.geometry)  # type: ignore[arg-type]
    decoder = ModelDecoder(model, 1, OwnCrops(own.train, own.heldout[:0]))
    assert decoder.codes is None
    assert decoder.packed_codes == ""
    assert decoder(own.train[:2]).shape == (2, TINY.size, TINY.size, 3)


def test_the_range_of_who_was_learnt_in_a_mirror_holds_mirrored_faces_too() -> None:
    faces: FaceSet = FakeFaces("bob", (90, 120, 200))  # type: ignore[assignment]
    plain, both = (OwnCrops.of(faces, TINY.geometry, MoreViews(share)) for share in (0.0, 1.0))
    for split in ("train", "heldout"):
        crops, twice = getattr(plain, split), getattr(both, split)
        expected = np.concatenate([crops, crops[:, :, ::-1]])
        np.testing.assert_allclose(twice.astype(float), expected, atol=1)
