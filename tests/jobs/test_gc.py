"""What garbage collection takes, and what it never does."""

import datetime as dt
import json
from pathlib import Path

import pytest

from faceswap import tracking
from faceswap.jobs.upkeep.gc_job import collect, find_garbage
from faceswap.registry import Version, at, exists, set_alias
from faceswap.registry.retention import Retention
from faceswap.settings import settings

pytestmark = pytest.mark.usefixtures("database")
DIGESTS = [f"{number:064x}" for number in range(5)]


@pytest.fixture
def names(home: Path) -> list[str]:
    """Five versions of ada, each with a face set of its own; the first is in production."""
    client = tracking.connect()
    client.create_registered_model("face-ada")
    for number, digest in enumerate(DIGESTS, 1):
        with tracking.run(f"training {number}", "train") as run:
            tags = {"run_id": run.run_id, "digest": "d", "consent": "c", "decoder_digest": "x"}
            tags["face_sets"] = json.dumps({"ada": digest})
            client.create_model_version("face-ada", source=f"runs:/{run.run_id}/model", tags=tags)
        folder = home / "face-sets" / "ada" / digest[-16:]
        folder.mkdir(parents=True)
        made = dt.datetime(2026, 1, number, tzinfo=dt.UTC).isoformat()
        (folder / "faceset.json").write_text(json.dumps({"digest": digest, "created": made}))
    set_alias(Version("face-ada", 1), "production")
    with pytest.raises(RuntimeError), tracking.run("failed", "train"):
        raise RuntimeError
    return [str(Version("face-ada", number)) for number in range(1, 6)]


def test_a_look_changes_nothing_and_an_alias_protects(names: list[str]) -> None:
    kept = Retention(days=0, newest=1)
    found = find_garbage(kept)
    by_kind = {kind: [one.name for one in found if one.kind == kind] for kind in {one.kind for one in found}}
    assert by_kind["version"] == [names[3], names[2], names[1]], "not the newest, not the one in production"
    assert [name.partition(" (")[0] for name in by_kind["run"]] == ["failed"]
    sets = [Path(name).name for name in by_kind["face set"]]
    assert sorted(sets) == [digest[-16:] for digest in DIGESTS[1:4]], "those of the versions that stay, stay"
    assert all(exists(Version("face-ada", number)) for number in range(1, 6))
    assert find_garbage(Retention(days=1, newest=0)) == [], "all of it is young"

    set_alias(Version("face-ada", 3), "challenger")  # between the look and the deletion
    done, failed = collect(found)
    assert done == len(found) - 2, "the version and its face set"
    assert failed[0] == f"version {names[2]}: it is used again, and stays"
    assert [exists(Version("face-ada", number)) for number in range(1, 6)] == [True, False, True, False, True]
    assert at("face-ada", "production") == Version("face-ada", 1)
    left = sorted(one.name for one in (settings().home_path / "face-sets" / "ada").iterdir())
    assert left == [DIGESTS[number][-16:] for number in (0, 2, 4)]
