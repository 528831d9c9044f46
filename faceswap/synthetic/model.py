"""All of a person that no scene changes, made once and remembered."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faceswap.synthetic import body
from faceswap.synthetic.canvas import Canvas
from faceswap.synthetic.hair import hair_shell, scalp_cover
from faceswap.synthetic.people import Person
from faceswap.synthetic.shapes import Head, Shape, rows_of_head
from faceswap.synthetic.skin import grain, paint_face_at_rest
from faceswap.synthetic.traits import Array, Traits
from faceswap.synthetic.truth import face_region


@dataclass(frozen=True, eq=False)
class Model:
    """All of a person that no scene changes."""

    traits: Traits
    head: Head
    canvas: Canvas
    hairs: Array
    """Upright noise of unit deviation, as large as the canvas."""
    angle: Array
    """(1, w) radians about the head, 0 is the front."""
    height: Array
    """(h, 1) neutral heights, cm."""
    bare: Array
    """(h, w, 3) points of the head without relief."""
    scalp: Array
    """(h, w) how much of the skin the roots of the hair cover."""
    face: Array
    """(h, w) 1 where the face is that a swap replaces."""
    fixed: tuple[Shape, ...]
    """Ears and neck."""
    clothes: Shape
    hair: tuple[Shape, ...]
    glasses: tuple[Shape, ...]


@lru_cache(maxsize=24)
def model_of(person: Person, fine: bool) -> Model:
    """Return all that no scene changes, ``fine`` for large pictures; the last few are remembered."""
    traits, seed, hair_seed = person.traits, person.seed, person.hair_seed
    density, rows = (36, 420) if fine else (20, 240)
    head = Head(traits)
    canvas = paint_face_at_rest(traits, seed, density)
    angle = np.linspace(-2.25, 2.25, rows, dtype=np.float32)[None]
    height = rows_of_head(head, rows).astype(np.float32)
    grew_on = head if person.wears is None else Head(person.wears.traits)
    hair = hair_shell(traits, grew_on, hair_seed, 440 if fine else 240, None if grew_on is head else head)
    return Model(
        traits=traits,
        head=head,
        canvas=canvas,
        hairs=grain(canvas, np.random.default_rng([seed, 5]), 0.02, 0.13),
        angle=angle,
        height=height,
        bare=head.points(angle, height),
        scalp=scalp_cover(traits, hair_seed, angle, height),
        face=face_region(traits, head, angle, height),
        fixed=(body.ear(traits, head, -1), body.ear(traits, head, 1), body.neck(traits)),
        clothes=body.clothes(traits, seed),
        hair=() if hair is None else (hair,),
        glasses=tuple(body.glasses(traits, head, canvas)) if traits.glasses else (),
    )
