"""Loaded versions in memory, up to a limit: the ones not used for longest go first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from faceswap.errors import FaceswapError, RegistryError
from faceswap.registry import Listed, LoadedVersion


class Memory:
    """Versions by the digest of their decoder; safe to use from several threads.

    A version is loaded by one thread, the others wait for it; what is loaded already is given at once meanwhile.
    A version that somebody still works with stays usable after it was dropped.

    Args:
        limit: bytes that the weights may take; the one used last is kept even if it is larger.
        load: loads a row of the registry.
    """

    def __init__(self, limit: int, load: Callable[[Listed], LoadedVersion]) -> None:
        self.limit = limit
        self._load = load
        self._known: OrderedDict[str, LoadedVersion] = OrderedDict()
        self._quick, self._loading = threading.Lock(), threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of all loaded weights."""
        with self._quick:
            return self._sum()

    @property
    def digests(self) -> list[str]:
        """What is loaded, the one not used for longest first."""
        with self._quick:
            return list(self._known)

    def get(self, row: Listed) -> LoadedVersion:
        """The version of a row, loaded if it has to be.

        Raises:
            RegistryError: it can't be loaded, or makes no pictures.
            TrackingError: MLflow does not answer.
        """
        key = _key(row)
        if (known := self._recall(key)) is None:
            with self._loading:
                if (known := self._recall(key)) is None:
                    known = self._fresh(row)
                    self._keep(key, known)
        if known.card.identity != row.version.identity:  # a tag names another person's digest
            raise RegistryError(f"{row.version} holds the decoder of {known.card.identity!r}")
        return replace(known, version=row.version)

    def keep_only(self, rows: Iterable[Listed]) -> None:
        """Forget all versions but those of some rows: others were deleted, or may no longer be used."""
        wanted = {_key(row) for row in rows}
        with self._quick:
            for key in [key for key in self._known if key not in wanted]:
                del self._known[key]

    def _recall(self, key: str) -> LoadedVersion | None:
        with self._quick:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _fresh(self, row: Listed) -> LoadedVersion:
        try:
            loaded = self._load(row)
            size = loaded.network.geometry.size
            # The first call builds the network's function, which no user should wait for.
            output = loaded.network(np.full((1, size, size, 3), 127, np.uint8))
        except FaceswapError:
            raise
        except Exception as error:  # whatever a damaged version raises, the others go on
            raise RegistryError(f"{row.version} can't be loaded: {type(error).__name__}: {error}") from error
        if output.shape != (1, size, size, 3) or not np.isfinite(output).all():
            raise RegistryError(f"{row.version} makes no pictures: its network gives {output.shape} or NaN")
        return loaded

    def _keep(self, key: str, loaded: LoadedVersion) -> None:
        with self._quick:
            self._known[key] = loaded
            while len(self._known) > 1 and self._sum() > self.limit:
                self._known.popitem(last=False)

    def _sum(self) -> int:
        return sum(loaded.network.nbytes for loaded in self._known.values())


def _key(row: Listed) -> str:
    return row.tags.get("digest") or row.tags.get("decoder_digest", str(row.version))
