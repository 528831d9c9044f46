"""The people: anyone from a seed, and a fixed cast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from faceswap.synthetic.styling import AS_DRAWN, WORN, MakeUp, Styling, styled
from faceswap.synthetic.traits import Traits, draw_traits


@dataclass(frozen=True)
class Person:
    """A fictional person; seed and styling decide the looks, the name is only a label."""

    seed: int
    name: str
    styling: Styling = AS_DRAWN
    wears: "Person | None" = None
    """Whose hair and glasses; None: the person's own."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"a person's seed is {self.seed}; it must be at least 0")

    @cached_property
    def traits(self) -> Traits:
        """The numbers the looks consist of."""
        own = styled(draw_traits(self.seed), self.styling)
        if self.wears is None:
            return own
        other = self.wears.traits
        apart = other.eye_distance if other.frames_apart is None else other.frames_apart
        return replace(own, frames_apart=apart, **{name: getattr(other, name) for name in WORN})

    @property
    def hair_seed(self) -> int:
        """Of the strands."""
        return self.seed if self.wears is None else self.wears.hair_seed

    def wearing(self, other: "Person") -> "Person":
        """Return this person with the hair and the glasses of another one: what a swap of the face alone shows."""
        return self if self == other else replace(self, wears=other)


CAST: tuple[Person, ...] = (
    Person(141, "ada"),
    Person(75, "bram"),
    Person(110, "corin"),
    Person(105, "dalia"),
    Person(72, "emeric"),
    Person(28, "fenn"),
)
"""Six people who look least like each other; chosen by the distances between their face embeddings."""

HARD_CAST: tuple[Person, ...] = (
    Person(
        75062,
        "greta",
        Styling(
            hair="bangs",
            hair_color=(206, 172, 120),
            fringe=-0.1,
            glasses="dark",
            brow_height=1.9,
            hair_part=0.3,
        ),
    ),
    Person(
        75049,
        "hanne",
        Styling(
            hair="curtains",
            hair_color=(52, 36, 28),
            glasses="none",
            brow_height=2.9,
            make_up=MakeUp(liner=0.6, brows=0.4),
        ),
    ),
    Person(
        75072,
        "irma",
        Styling(
            hair="short",
            glasses="none",
            brow_height=2.5,
            make_up=MakeUp((176, 18, 44), 0.9, (70, 40, 70), 0.6, (205, 90, 95), 0.35, brows=1.0, liner=1.0),
        ),
    ),
    Person(75004, "jonas", Styling(hair="swept", hair_color=(70, 46, 32), fringe=0.2, glasses="thin")),
    Person(
        75159,
        "kaia",
        Styling(
            hair="swept", hair_color=(30, 24, 22), fringe=0.5, glasses="none", brow_height=2.7, hair_part=-0.6
        ),
    ),
    Person(75033, "leni", Styling(hair="bangs", hair_color=(34, 28, 26), fringe=0.2, glasses="none")),
)
"""Six people with all that makes swaps hard: hair over brows and temples, glasses, make-up, brows high and low."""


def person(name: str) -> Person:
    """Return the member of one of the casts with this name."""
    for member in (*CAST, *HARD_CAST):
        if member.name == name:
            return member
    raise KeyError(f"nobody in the cast is called {name!r}; there are {_listing((*CAST, *HARD_CAST))}")


def random_person(seed: int) -> Person:
    """Return the person with this seed, any number from 0: there is no end to them."""
    return Person(seed, f"person-{seed}")


def _listing(people: Sequence[Person]) -> str:
    return ", ".join(one.name for one in people)
