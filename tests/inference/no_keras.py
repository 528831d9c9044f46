"""For test_no_keras.py: in a process of its own, swaps and measures with a registered version as users' doors do.

``python -m tests.inference.no_keras PICTURE FOLDER FACE_SET``, in the state folder that FACESWAP_HOME names.
"""

import sys
from pathlib import Path


def main(picture: Path, folder: Path, face_set: Path) -> None:
    """Go through the doors, then print which packages of Keras and its backends came along."""
    import serving.app  # noqa: F401
    from faceswap import registry
    from faceswap.evaluation.protocol import evaluate_pair
    from faceswap.faces.faceset import FaceSet
    from faceswap.faces.finding.dlib_finder import FaceFinder
    from faceswap.registry.cards.origin import provenance
    from faceswap.swap.batch.media_swap import swap_media
    from faceswap.swap.options import SwapOptions
    from faceswap.swap.swapper import Swapper
    from serving.catalogue import Catalogue
    from serving.guard.limits import Limits
    from serving.results.outbox import Outbox
    from serving.work import Workshop

    loaded = registry.load("ada/1")
    finder = FaceFinder()
    swapper = Swapper(loaded.network, finder, SwapOptions())
    report = swap_media(str(picture), folder / "swapped.png", swapper, provenance(loaded, {}))
    assert report.numbers()["pictures_faces"] == 1, report

    workshop = Workshop(Catalogue(), finder, Outbox(folder / "outbox", 3600), Limits(20, 10**7, 60.0))
    assert workshop.picture(picture, "ada", "1").result.exists()

    faces = FaceSet.load(str(face_set))
    identities = {name: loaded.card.embedding(name) for name in loaded.card.identities}
    result = evaluate_pair(swapper.swap_face, faces, faces, identities, finder, loaded.network, limit=1)
    assert result.frames == 1


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
    imported = {name.partition(".")[0] for name in sys.modules}
    print("brought along:", sorted(imported & {"keras", "tensorflow", "jax", "torch", "tf2onnx", "onnx"}))
