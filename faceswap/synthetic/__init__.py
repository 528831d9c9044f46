"""Fictional people, rendered with ground truth: nobody's consent is at stake, and every swap has a right answer.

The true swap of a reference into a target's scene is the reference rendered in that scene; what lies over the face,
hair and glasses, stays the target's (``person("bram").wearing(person("ada"))``):

>>> import numpy as np
>>> from faceswap.synthetic import person, random_scene, render
>>> scene = random_scene(np.random.default_rng(1))
>>> target = render(person("ada"), scene, size=128)
>>> truth = render(person("bram"), scene, size=128)
>>> truth.image.shape, truth.landmarks.shape, truth.mask.shape
((128, 128, 3), (68, 2), (128, 128))

It stands alone: numpy, OpenCV and SciPy, nothing else of the project.
"""

from faceswap.synthetic.people import CAST, HARD_CAST, Person, person, random_person
from faceswap.synthetic.performance import clip
from faceswap.synthetic.renderer import SEGMENTS, Rendering, render
from faceswap.synthetic.scene import Background, Expression, Light, Pose, Scene, random_scene, side_light
from faceswap.synthetic.styling import Styling, random_styling

__all__ = [
    "CAST",
    "HARD_CAST",
    "SEGMENTS",
    "Background",
    "Expression",
    "Light",
    "Person",
    "Pose",
    "Rendering",
    "Scene",
    "Styling",
    "clip",
    "person",
    "random_person",
    "random_scene",
    "random_styling",
    "render",
    "side_light",
]
