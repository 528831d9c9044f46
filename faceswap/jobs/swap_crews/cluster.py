"""A swap on the workers of a Dask cluster, which fetch targets by themselves."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from faceswap.fan_out import fan_out, nobody_waits
from faceswap.jobs.swap_crews.recipe import Recipe, swapper_of
from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion
from faceswap.swap.batch.pieces import Piece, Result, work_on
from faceswap.swap.batch.spread import Crew
from faceswap.swap.swapper import Swapper


@dataclass(frozen=True)
class _Work:
    """What is the same for all pieces."""

    recipe: Recipe
    metadata: Provenance

    def __call__(self, piece: Piece) -> Result:
        """Do a piece on a worker."""
        return work_on(piece, swapper_of(self.recipe), self.metadata, nobody_waits())


def cluster_crew(
    address: str, versions: Sequence[LoadedVersion], swapper: Swapper, metadata: Provenance
) -> Crew:
    """The workers at a scheduler's address, as a crew that swaps as ``swapper`` does.

    Args:
        address: of the scheduler.
        versions: the swapper's references.
        swapper: of this machine.
        metadata: what the results say of their origin.

    Raises:
        SettingsError: a version is not in the registry.
    """
    work = _Work(Recipe.of(versions, swapper), metadata)

    def crew(pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
        return fan_out(address, work, pieces)

    return crew
