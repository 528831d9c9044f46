"""Promotion as a user does it: the command, a real Prefect server, real versions, measured on real swaps."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faceswap import registry, tracking
from faceswap.errors import SettingsError
from faceswap.model.training.model_files import read_model, weights_digest
from faceswap.registry import Version
from faceswap.settings import settings
from tests.e2e.conftest import Done, environment_of, http
from tests.registry.fakes import aliases, stages

NAME = "emeric"
MODEL = f"face-{NAME}"
GATES = json.dumps(
    [
        {"metric": "identity_distance", "at_most": 0.75, "margin": 0.03},
        {"metric": "detection_rate", "at_least": 0.5},
    ]
)
"""The demo in miniature trains for seconds only."""


@dataclass(frozen=True)
class Place:
    """A copy of the demo's state, with a version equal to version 1, and one that draws a picture of nothing."""

    home: Path
    equal: int
    collapsed: int


@pytest.fixture(scope="module")
def place(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = tmp_path_factory.mktemp("promote") / "home"
    shutil.copytree(demo.home, home, ignore=shutil.ignore_patterns("prefect"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESWAP_HOME", str(home))
        patch.setenv("FACESWAP_EXPERIMENT", "promotion")  # so that the demo's artifacts stay as they are
        settings.cache_clear()
        loaded = registry.load(NAME)
        folder = home / "export"
        folder.mkdir()
        shutil.copy(registry.encoder_file(loaded.card), folder / "encoder.keras")
        decoder = read_model(registry.decoder_file(loaded))
        added = []
        for factor in (1, 0):
            decoder.set_weights([factor * weights for weights in decoder.get_weights()])
            decoder.save(folder / f"decoder_{NAME}.keras")
            with tracking.run("train again", "train") as run:
                card = loaded.card.model_copy(
                    update={
                        "run_id": run.run_id,
                        "decoder_digest": weights_digest(decoder),
                        "fine_detail_digest": "",
                    }
                )
                added.append(registry.register(run.run_id, folder, {NAME: card})[NAME])
                registry.alias_after_training(added[-1])
        settings.cache_clear()
    return Place(home, *(int(version.version or 0) for version in added))


@pytest.fixture(autouse=True)
def at_the_place(home: Path, place: Place, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACESWAP_HOME", str(place.home))
    monkeypatch.setenv("FACESWAP_EXPERIMENT", "promotion")
    settings.cache_clear()
    yield
    settings.cache_clear()


def start(place: Place, server: str, *words: str) -> subprocess.Popen[str]:
    own = {"FACESWAP_EXPERIMENT": "promotion", "FACESWAP_GATES": GATES, "PREFECT_API_URL": server}
    return subprocess.Popen(
        [sys.executable, "-m", "faceswap.cli", *words],
        env=environment_of(place.home) | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, errors = process.communicate(timeout=400)
    return process.returncode, output + errors


def test_a_collapsed_version_is_refused_by_name_of_the_gate(place: Place, server: str) -> None:
    code, said = finish(start(place, server, "promote", NAME, "--frames", "4", "--by", "mia"))
    assert code == 1, said
    assert f"PromotionRefused: {NAME}/{place.collapsed} does not go to production (refused)" in said
    assert "identity_distance: " in said
    assert "worse than the champion's" in said
    assert "Traceback" not in said
    assert aliases(MODEL) == {"production": 1, "challenger": place.collapsed}
    tags = registry.tags(Version(MODEL, place.collapsed))
    assert (tags["promotion"], tags["promotion.by"]) == ("refused", "mia")
    client = tracking.connect()
    run = client.get_run(tags["promotion.run"])
    assert (run.info.status, run.data.tags["faceswap.kind"]) == ("FINISHED", "promote")
    # a grey square is no face, so that the masks keep most of bram
    assert run.data.metrics["challenger.bram.identity_distance"] > 0.5
    assert run.data.metrics["champion.bram.identity_distance"] < 0.75
    assert {artifact.path for artifact in client.list_artifacts(run.info.run_id)} >= {
        "promotion.md",
        "decision.json",
        "pictures",
    }
    assert len(client.list_artifacts(run.info.run_id, "pictures")) == 1
    kinds = http().post(f"{server}/artifacts/filter", json={}).json()
    (table,) = [a for a in kinds if (a["key"] or "").startswith("promotion-")]
    assert "| identity_distance | at most 0.75 | 0.03 worse | 0." in table["data"]
    assert run.info.run_id in table["data"]


def test_an_equal_version_passes_and_can_be_rolled_back(place: Place, server: str) -> None:
    code, said = finish(start(place, server, "promote", f"{NAME}/{place.equal}", "--frames", "4"))
    assert code == 0, said
    assert f"In production: {NAME}/{place.equal}; {NAME}/1 is kept as previous" in said
    assert aliases(MODEL) == {"production": place.equal, "previous": 1, "challenger": place.collapsed}
    assert stages(MODEL) == {1: "previous", place.equal: "production", place.collapsed: "challenger"}
    code, said = finish(start(place, server, "rollback", NAME, "--reason", "it flickers"))
    assert code == 0, said
    assert f"In production: {NAME}/1; {NAME}/{place.equal} was rolled back." in said
    assert aliases(MODEL) == {"production": 1, "challenger": place.collapsed}
    assert registry.tags(Version(MODEL, place.equal))["promotion.reasons"] == "it flickers"


def test_a_person_says_no_in_prefect(place: Place, server: str) -> None:
    words = (
        "promote",
        f"{NAME}/{place.collapsed}",
        "--frames",
        "4",
        "--override",
        "for the test",
        "--approval",
    )
    process = start(place, server, *words)
    for _ in range(400):
        paused = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
        found = http().post(f"{server}/flow_runs/filter", json=paused).json()
        if found or process.poll() is not None:
            break
        time.sleep(0.5)
    assert found, finish(process)
    assert aliases(MODEL)["production"] == 1
    answer = {"run_input": {"approved": False, "by": "ines", "reason": "eyes are closed"}}
    said = http().post(f"{server}/flow_runs/{found[0]['id']}/resume", json=answer).json()
    assert said["status"] == "ACCEPT", said
    code, said = finish(process)
    assert code == 1, said
    assert "declined by ines: eyes are closed" in said
    assert aliases(MODEL)["production"] == 1
    assert registry.tags(Version(MODEL, place.collapsed))["promotion"] == "declined"


def test_models_shows_states_metrics_and_age(place: Place, server: str) -> None:
    code, said = finish(start(place, server, "models", "--json"))
    assert code == 0, said
    rows = {row["version"]: row for row in json.loads(said[: said.rindex("]") + 1])}
    assert rows[f"{NAME}/1"]["stage"] == "production"
    assert rows[f"{NAME}/{place.collapsed}"]["stage"] == "challenger"
    assert (
        "identity_distance" not in rows[f"{NAME}/{place.collapsed}"]
    )  # a promotion's figures stay in its run
    assert rows[f"{NAME}/{place.collapsed}"]["promotion"] == "declined"
    assert rows["bram/1"]["age_seconds"] > 0


def test_wrong_words_change_nothing(place: Place) -> None:
    from faceswap.jobs import PromoteParameters, promote

    before = aliases(MODEL), stages(MODEL)
    with pytest.raises(SettingsError, match="needs a reason"):
        promote(PromoteParameters(version=f"{NAME}/{place.collapsed}", override=" "))
    with pytest.raises(SettingsError, match="needs a Prefect server"):
        promote(PromoteParameters(version=f"{NAME}/{place.collapsed}", approval=True))
    assert promote(PromoteParameters(version=f"{NAME}/1")).decision is None  # in production already
    assert (aliases(MODEL), stages(MODEL)) == before
