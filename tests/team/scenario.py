"""What the tests of a team's servers do in a process of their own: ``python -m tests.team.scenario WHAT HOME``."""

import sys
import time
from pathlib import Path

import numpy as np

from faceswap import registry, tracking
from faceswap.errors import FaceswapError
from faceswap.faces.faceset import HEADER, FaceSet, find
from faceswap.registry import set_alias
from faceswap.settings import settings
from faceswap.storage import list_files, publish_files
from tests.registry.test_old_artifacts import V1, drawn_then, registered_then


def register(home: Path) -> None:
    """The first release's version and its face set, into MLflow, PostgreSQL and S3."""
    set_alias(registered_then(home), "production")
    names = [name for name in list_files(str(V1 / "face-set")) if name != HEADER]
    made = FaceSet.load(str(V1 / "face-set"))
    uri = f"{settings().face_sets_root}/{made.identity}/{made.digest[:16]}"
    publish_files(V1 / "face-set", [*names, HEADER], uri)


def draw(home: Path) -> None:
    """The version in production draws what it drew, and the face set is there."""
    crops, expected = drawn_then()
    np.testing.assert_allclose(registry.load("ada@production").network(crops), expected, atol=1e-4)
    assert find(FaceSet.load(str(V1 / "face-set")).identity).count() > 0


def log(home: Path) -> None:
    """A run that logs ten numbers a second until a file tells it to end; none is lost."""
    with tracking.run("through a fault", "train") as run:
        print(run.run_id, flush=True)
        step = 0
        while not (home / "enough").exists():
            run.metrics({"loss": float(step)}, step)
            step += 1
            time.sleep(0.1)
    stored = tracking.connect().get_metric_history(run.run_id, "loss")
    assert sorted(one.step for one in stored) == list(range(step)), (len(stored), step)


def main() -> None:
    """Do it; what a user would read goes to standard error."""
    what, home = sys.argv[1], Path(sys.argv[2])
    home.mkdir(parents=True, exist_ok=True)
    try:
        {"register": register, "draw": draw, "log": log}[what](home)
    except FaceswapError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
