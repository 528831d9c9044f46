"""The true swap of fictional people: the reference rendered in the scene of the target's frame.

Hair and glasses lie over the face, so they stay the target's.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.protocol import Truth
from faceswap.faces.faceset import FaceSet
from faceswap.synthetic import CAST, HARD_CAST, person, render
from faceswap.synthetic.shoots import scenes_of


def truth_for(reference: FaceSet, target: FaceSet) -> Truth | None:
    """Frame index -> the reference with the target's expression, pose, light, hair and glasses, (H, W, 3) uint8 RGB.

    None where a picture would be needed that nobody can know: one of the two is real, or the target's face set was
    not made of one rendered video, or by an earlier version of this software, which did not note how.
    """
    seen, likenesses = _rendered(target), {made["person"] for made in _rendered(reference)}
    if len(seen) != 1 or seen[0]["kind"] != "video" or len(likenesses) != 1:
        return None
    made = seen[0]
    scenes = scenes_of(made["person"], "video", float(made["seconds"]), 0, int(made["seed"]))
    who = person(likenesses.pop()).wearing(person(str(made["person"])))

    @cache
    def frame(index: int) -> NDArray[np.uint8]:
        return render(who, scenes[index], int(made["size"])).image

    return frame


def _rendered(faces: FaceSet) -> list[dict[str, Any]]:
    """How the sources of a face set were rendered; empty where not all of them were."""
    sources = faces.report.get("rendered", {})
    cast = {one.name for one in (*CAST, *HARD_CAST)}
    whole = set(faces.rows["source"]) <= sources.keys()
    return list(sources.values()) if whole and all(s["person"] in cast for s in sources.values()) else []
