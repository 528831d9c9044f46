import json
from pathlib import Path

from faceswap import registry, tracking
from faceswap.faces.faceset import find_headers
from faceswap.media.images import read_image
from faceswap.settings import settings
from faceswap.tracking.experiments import name_of
from faceswap.tuning.plan import read_records
from tests.e2e.conftest import Done, faceswap


def test_a_search_is_tracked_resumed_and_its_winner_becomes_challenger(demo: Done) -> None:
    sets = [
        found[0][0] for name in ("emeric", "bram") if (found := find_headers(settings().face_sets_root, name))
    ]
    words = ["tune", *sets, "--steps", "2", "--frames", "2"]
    printed = faceswap(demo.home, *words, "--trials", "1")
    assert "1 trials, best first" in printed
    (folder,) = (demo.home / "work" / "tune").iterdir()
    (first,) = read_records(folder)
    assert not (folder / "trials" / "0000" / "checkpoints").exists()

    client = tracking.connect()
    experiment = client.get_experiment_by_name(name_of("tune")).experiment_id
    (parent,) = client.search_runs([experiment], "tags.`faceswap.kind` = 'tune'")
    run_id = parent.info.run_id
    printed = faceswap(demo.home, "tune", "--resume", run_id, "--trials", "2", "--then-train", "0.02")
    assert "2 trials, best first" in printed
    assert read_records(folder)[0] == first

    parent = client.get_run(run_id)
    assert parent.info.status == "FINISHED"
    assert {"best_quality", "winner.quality", "winner.identity_distance"} <= set(parent.data.metrics)
    assert parent.data.tags["winner.trial"] in {"0000", "0001"}
    assert len(parent.inputs.dataset_inputs) == 2
    artifacts = Path(client.download_artifacts(run_id, ""))
    assert read_image(artifacts / "search.png").std() > 10
    rows = json.loads((artifacts / "trials.json").read_text())
    assert [row["trial"] for row in sorted(rows, key=lambda r: r["trial"])] == ["0000", "0001"]
    assert json.loads((artifacts / "winner.json").read_text())["preset"]["bottleneck"] in {16, 64}

    trials = client.search_runs(
        [experiment], "tags.`faceswap.kind` = 'trial'", order_by=["attribute.start_time"]
    )
    assert [run.data.tags["mlflow.parentRunId"] for run in trials] == [run_id, run_id]
    assert [run.data.params["preset.bottleneck"] for run in trials] == ["16", "64"]
    for run in trials:
        assert run.info.status == "FINISHED"
        assert {"loss", "heldout_mae", "quality", "identity_distance", "sharpness"} <= set(run.data.metrics)
        assert {"git.revision", "device", "keras", "search", "trial"} <= set(run.data.tags)
        assert "preset.loss.features" in run.data.params
        assert len(run.inputs.dataset_inputs) == 2
        names = {
            a.path for folder in ("images", "cases") for a in client.list_artifacts(run.info.run_id, folder)
        }
        assert any("preview" in name for name in names)
        assert "cases/emeric-on-bram.png" in names

    for name in ("emeric", "bram"):
        version = registry.resolve(f"{name}@challenger")
        found = client.get_model_version(version.name, str(version.version))
        assert found.tags["tune_run_id"] == run_id
        assert int(found.tags["bottleneck"]) in {16, 64}
        assert client.get_run(found.tags["run_id"]).data.tags["tune_run_id"] == run_id
        assert registry.resolve(f"{name}@production") != version
