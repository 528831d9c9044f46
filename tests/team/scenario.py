"""What the tests of a team's servers do in a process of their own: ``python -m tests.team.scenario WHAT HOME``."""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from faceswap import registry, storage, tracking
from faceswap.errors import FaceswapError
from faceswap.faces.faceset import HEADER, FaceSet, find
from faceswap.registry import alias_after_training
from faceswap.registry.cards import version_card
from faceswap.registry.production import lock
from faceswap.registry.production.lock import locked
from faceswap.settings import settings
from faceswap.storage import list_files, publish_files
from tests.team import clock

MODEL = "face-held"
V1 = Path(__file__).parents[1] / "fixtures" / "v1"
"""Networks of a few kilobytes, a face set, and what the networks drew of two crops."""


def register(home: Path) -> None:
    """A version and its face set, into MLflow, PostgreSQL and S3; its graph is made here, TensorFlow ends with it."""
    for name, stored in (("encoder", "encoder"), ("decoder_ada", "decoder")):
        shutil.copy(V1 / f"{stored}.keras", home / f"{name}.keras")
    with tracking.run("training", "train") as run:
        card = version_card.read(V1 / "card.json").model_copy(update={"run_id": run.run_id})
    alias_after_training(registry.register(run.run_id, home, {"ada": card})["ada"])
    names = [name for name in list_files(str(V1 / "face-set")) if name != HEADER]
    made = FaceSet.load(str(V1 / "face-set"))
    uri = f"{settings().face_sets_root}/{made.identity}/{made.digest[:16]}"
    publish_files(V1 / "face-set", [*names, HEADER], uri)


def draw_again(home: Path) -> None:
    """The version in production draws what it drew."""
    with np.load(V1 / "pixels.npz") as stored:
        crops, expected = stored["crops"], stored["generated"]
    np.testing.assert_allclose(registry.load("ada@production").network(crops), expected, atol=1e-4)


def draw(home: Path) -> None:
    """It does so, and the face set is there."""
    draw_again(home)
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


def train(home: Path) -> None:
    """A training that says each step until a file tells it to end; another machine has its last checkpoint then."""
    from faceswap.jobs.training.checkpoint_store import CheckpointStore
    from faceswap.model.options import TrainingOptions
    from faceswap.model.training.checkpoints import Checkpoints
    from faceswap.model.training.dataset import TrainingData
    from faceswap.model.training.schedule import Budget
    from faceswap.model.training.trainer import Trainer
    from tests.model.fakes import FakeFaces
    from tests.model.training.test_trainer import TINY, Notes

    class Said(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            super().metrics(step, values)
            if "loss" in values:
                print(step, flush=True)
                time.sleep(0.1)
                if (home / "enough").exists():
                    raise KeyboardInterrupt

    sets = {"ann": FakeFaces("ann", (200, 120, 90)), "bob": FakeFaces("bob", (90, 120, 200))}
    options = TrainingOptions(
        budget=Budget(steps=100_000), report_seconds=1e-6, validate_seconds=1e9, checkpoint_seconds=1
    )
    store, said = CheckpointStore(home.name), Said()
    digests = dict.fromkeys(sets, "1")
    data = TrainingData(sets, TINY)  # type: ignore[arg-type]
    one = Trainer(data, TINY, options, home / "here", said, face_sets=digests, saved=store.saved)
    try:
        one.train()
    except KeyboardInterrupt:
        store.flush()
    assert sorted(said.losses) == list(range(1, len(said.losses) + 1))
    (home / "there").mkdir()
    store.bring(home / "there", home / "there" / "checkpoints")
    state = Checkpoints(home / "there" / "checkpoints").latest()
    assert state is not None
    assert state.step == max(said.losses), (state.step, max(said.losses))


def look(home: Path) -> None:
    """What an object's head says: where S3 refuses that, it names no cause."""
    storage.sha256_of(f"{settings().face_sets_root}/ada/nothing.json")


def hold(home: Path) -> None:
    """The right to move a model's aliases, until somebody kills this."""
    with locked(MODEL):
        print("held", flush=True)
        time.sleep(3600)


def take(home: Path) -> None:
    """The same right, of somebody on another machine who has watched for two seconds that nobody uses it."""
    lock.LEASE = 2.0
    with locked(MODEL) as mine:
        mine.confirm()


SCENES = {one.__name__: one for one in (register, draw, draw_again, log, train, look, hold, take)}


def main() -> None:
    """Do it; what a user would read goes to standard error."""
    what, home = sys.argv[1], Path(sys.argv[2])
    home.mkdir(parents=True, exist_ok=True)
    if "CLOCK" in os.environ:
        clock.follow(Path(os.environ["CLOCK"]))
    try:
        SCENES[what](home)
    except FaceswapError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
