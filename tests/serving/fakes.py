"""A registry in memory, networks that paint one colour, and a workshop over them."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceswapError, RegistryError
from faceswap.faces.finding.finder import Finder
from faceswap.faces.geometry import Geometry
from faceswap.media.video.reading import VideoWriter
from faceswap.model.presets import PRESETS
from faceswap.provenance.consent.record import Consent
from faceswap.registry import Card, Listed, LoadedVersion, Version
from faceswap.swap.options import SwapOptions
from serving.catalogue import Catalogue
from serving.guard.limits import Limits
from serving.results.outbox import Outbox
from serving.work import Workshop
from tests.swap.fakes import Paint, smooth_noise

GEOMETRY = Geometry(64, 1.6)


class SizedPaint(Paint):
    def __init__(self, colour: tuple[int, int, int], nbytes: int = 1_000_000) -> None:
        super().__init__(GEOMETRY, colour)
        self.nbytes = nbytes

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return super().__call__(crops)


def card(identity: str, digest: str) -> Card:
    return Card(
        identity=identity,
        run_id="run-1",
        preset=next(iter(PRESETS.values())),
        geometry=GEOMETRY.to_dict(),
        encoder_digest="e" * 64,
        decoder_digest=digest,
        face_sets={identity: {"digest": "f" * 64, "uri": "/sets"}},
        identities={identity: [0.0] * 128},
        consent=Consent(subject=identity, statement="fictional", fictional=True),
    )


def listed(identity: str, number: int, *aliases: str, digest: str = "") -> Listed:
    tags = {
        "decoder_digest": digest or f"{identity}-{number}",
        "encoder_digest": "e" * 64,
        "run_id": "run-1",
        "preset": "lite",
        "face_sets": f'{{"{identity}": "{"f" * 64}"}}',
        "consent": "fictional (since 2026-01-01)",
        "identity_distance": "0.4100",
    }
    return Listed(Version(f"face-{identity}", number), aliases, tags, 1_790_000_000.0)


class MemoryRegistry:
    """Rows and networks that a test sets; remembers what was loaded."""

    def __init__(self, *rows: Listed) -> None:
        self.rows = list(rows)
        self.colours: dict[Version, tuple[int, int, int]] = {}
        self.broken: set[Version] = set()
        self.down: FaceswapError | None = None
        self.loaded: list[Version] = []
        self.nbytes = 1_000_000

    def listing(self) -> list[Listed]:
        if self.down is not None:
            raise self.down
        return list(self.rows)

    def load(self, row: Listed) -> LoadedVersion:
        self.loaded.append(row.version)
        if row.version in self.broken:
            raise RegistryError(f"The weights of {row.version} are damaged")
        colour = self.colours.get(row.version, (200, 60, 60))
        identity = row.version.identity
        return LoadedVersion(
            card(identity, sha256(row.tags["decoder_digest"].encode()).hexdigest()),
            SizedPaint(colour, self.nbytes),  # type: ignore[arg-type]
            row.version,
        )

    def move(self, identity: str, alias: str, number: int) -> None:
        """Let an alias point to another version."""
        self.rows = [
            Listed(
                row.version,
                tuple(
                    sorted(
                        {a for a in row.aliases if a != alias}
                        | ({alias} if row.version.version == number else set())
                    )
                )
                if row.version.identity == identity
                else row.aliases,
                row.tags,
                row.created,
            )
            for row in self.rows
        ]


def catalogue(registry: MemoryRegistry, memory_mb: int = 1000, clock: object = None) -> Catalogue:
    options = {"clock": clock} if clock else {}
    return Catalogue(memory_mb, 0.05, listing=registry.listing, load=registry.load, **options)  # type: ignore[arg-type]


def workshop(
    registry: MemoryRegistry, finder: Finder, folder: Path, limits: Limits | None = None
) -> Workshop:
    bounds = limits or Limits(50, 4_000_000, 10.0)
    # fitted to the target's skin, all of the networks' plain colours would look the same
    return Workshop(catalogue(registry), finder, Outbox(folder, 3600), bounds, SwapOptions(colour="none"))


def video(path: Path, frames: int = 30) -> Path:
    """Write noise that changes once a second; returns the path."""
    with VideoWriter(path, width=320, height=200, fps=10) as writer:
        for number in range(frames):
            writer.write(smooth_noise(200, 320, seed=number // 10))
    return path
