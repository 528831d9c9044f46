"""The people: anyone from a seed, and a fixed cast."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from faceswap.synthetic.traits import Traits, draw_traits


@dataclass(frozen=True)
class Person:
    """A fictional person; the seed decides the looks, the name is only a label."""

    seed: int
    name: str

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"a person's seed is {self.seed}; it must be at least 0")

    @cached_property
    def traits(self) -> Traits:
        """The numbers the looks consist of."""
        return draw_traits(self.seed)


CAST: tuple[Person, ...] = (
    Person(141, "ada"),
    Person(75, "bram"),
    Person(110, "corin"),
    Person(105, "dalia"),
    Person(72, "emeric"),
    Person(28, "fenn"),
)
"""Six people who look least like each other; chosen by the distances between their face embeddings."""


def person(name: str) -> Person:
    """Return the member of the cast with this name."""
    for member in CAST:
        if member.name == name:
            return member
    raise KeyError(f"nobody in the cast is called {name!r}; there are {_listing(CAST)}")


def random_person(seed: int) -> Person:
    """Return the person with this seed, any number from 0: there is no end to them."""
    return Person(seed, f"person-{seed}")


def _listing(people: Sequence[Person]) -> str:
    return ", ".join(one.name for one in people)
