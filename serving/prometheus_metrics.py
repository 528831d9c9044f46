"""What Prometheus asks of the app: swaps, errors, seconds, versions, whether MLflow answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from faceswap.errors import FaceswapError

if TYPE_CHECKING:
    from serving.catalogue import Catalogue

REGISTRY = CollectorRegistry()
SWAPS = Counter("faceswap_swaps_total", "Swaps by kind and outcome.", ["kind", "outcome"], registry=REGISTRY)
SECONDS = Histogram(
    "faceswap_swap_seconds",
    "Seconds of a swap that was made.",
    ["kind"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
    registry=REGISTRY,
)
RUNNING = Gauge("faceswap_swaps_running", "Swaps that are being made.", ["kind"], registry=REGISTRY)
VERSIONS = Gauge("faceswap_versions", "Registered versions that the app knows.", registry=REGISTRY)
LOST = Gauge("faceswap_registry_lost", "1 while MLflow does not answer.", registry=REGISTRY)
LISTED = Gauge(
    "faceswap_registry_listed_seconds", "When MLflow answered last, s since 1970.", registry=REGISTRY
)


@contextmanager
def counted(kind: str) -> Iterator[None]:
    """Count the swap of the block: made, refused (a user's input) or failed."""
    outcome = "failed"
    try:
        with RUNNING.labels(kind).track_inprogress(), SECONDS.labels(kind).time():
            yield
        outcome = "made"
    except FaceswapError:
        outcome = "refused"
        raise
    finally:
        SWAPS.labels(kind, outcome).inc()


def exposition(catalogue: "Catalogue") -> bytes:
    """All of it in Prometheus' text format."""
    state = catalogue.state
    VERSIONS.set(len(state.rows))
    LOST.set(bool(state.problem))
    LISTED.set(state.listed)
    return generate_latest(REGISTRY)
