"""Trainings whose servers stay away, or whose worker is lost: nothing is lost, and another machine goes on."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from faceswap.model.training.checkpoints import Checkpoints
from flows.prefect_monitor import host_slot
from infra.team.setup import s3_client
from tests.team.people import NAMES, training
from tests.team.servers import Team

pytestmark = pytest.mark.timeout(1800)
CONSENT_SECONDS = "2"
STEPS = 30
"""That a training goes on for at the other machine."""


def checkpoints(team: Team) -> dict[str, int]:
    """MLflow run -> step of its newest whole checkpoint in S3."""
    client, bucket = s3_client(team.given()), team.given().bucket
    found: dict[str, int] = {}
    for one in client.list_objects_v2(Bucket=bucket, Prefix="checkpoints/").get("Contents", []):
        parts = one["Key"].split("/")
        if parts[-1] == "SHA256SUMS":
            found[parts[1]] = max(found.get(parts[1], 0), int(parts[2].removeprefix("step-")))
    return found


def losses(team: Team, run_id: str) -> list[tuple[int, int]]:
    """(time, step) of the loss curve's points."""
    found = team.mlflow(f"metrics/get-history?run_id={run_id}&metric_key=loss").get("metrics", [])
    return sorted((int(one["timestamp"]), int(one["step"])) for one in found)


def slots(prefect: httpx.Client) -> int:
    """Trainings that Prefect counts on this host."""
    found = prefect.get(f"/v2/concurrency_limits/{host_slot()}").raise_for_status().json()
    return int(found["active_slots"])


def registered(team: Team, run_id: str) -> set[str]:
    found = team.mlflow(f"model-versions/search?filter=run_id%3D'{run_id}'").get("model_versions", [])
    return {one["name"] for one in found}


def status(team: Team, run_id: str) -> str:
    return str(team.mlflow(f"runs/get?run_id={run_id}")["run"]["info"]["status"])


def test_servers_away_for_good_end_a_training_and_another_machine_goes_on(team: Team, tmp_path: Path) -> None:
    own = team.client_environment() | {"PREFECT_API_URL": "", "FACESWAP_CONSENT_SECONDS": CONSENT_SECONDS}
    here, there = (own | {"FACESWAP_HOME": str(tmp_path / name)} for name in ("here", "there"))
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([sys.executable, "-m", "tests.team.people", "1000000"], env=here, **told)  # type: ignore[call-overload]
    team.until(lambda: any(checkpoints(team).values()) or process.poll() is not None, 300, "no checkpoint")
    for name in ("mlflow", "s3"):
        team.stop(name, signal.SIGKILL)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 1, said
    assert "Traceback" not in said
    for name in ("TEAM_MLFLOW_URL", "TEAM_S3_URL"):
        assert team.settings[name] in said
    team.start("s3", "mlflow")

    ((run_id, step),) = checkpoints(team).items()
    assert f"`faceswap train --resume {run_id}` goes on with the training" in said
    left = Checkpoints(tmp_path / "here" / "work" / "train" / run_id / "checkpoints").latest()
    assert left is not None
    assert left.step > step > 0
    before = losses(team, run_id)
    words = ["train", "--resume", run_id, "--steps", str(step + STEPS)]
    done = subprocess.run(
        [sys.executable, "-m", "faceswap.cli", *words], env=there, check=False, timeout=300, **told
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout
    again = [at for _, at in losses(team, run_id)[len(before) :]]
    assert min(again) > step
    assert max(again) == step + STEPS
    assert registered(team, run_id) == {f"face-{name}" for name in NAMES}
    assert status(team, run_id) == "FINISHED"
    assert run_id not in checkpoints(team)


@pytest.fixture
def prefect(team: Team) -> Iterator[httpx.Client]:
    """A client of Prefect's API, while its server runs."""
    team.start("prefect")
    login = ("faceswap", team.settings["TEAM_PREFECT_PASSWORD"])
    url = f"{team.settings['TEAM_PREFECT_URL']}/api"
    try:
        with httpx.Client(base_url=url, auth=login, timeout=30, trust_env=False) as client:
            yield client
    finally:
        for name in {"worker", "prefect"} & team.running.keys():
            team.stop(name, signal.SIGKILL)


def lose(team: Team) -> None:
    """The worker and all that it has started are gone at once, as when its machine loses power."""
    worker = psutil.Process(team.running["worker"].pid)
    for process in [*worker.children(recursive=True), worker]:
        process.kill()
    team.stop("worker", signal.SIGKILL)


def test_a_training_of_a_lost_worker_goes_on_at_another(
    team: Team, prefect: httpx.Client, tmp_path: Path
) -> None:
    def begin_worker(home: str) -> None:
        team.begin("worker", TEAM_QUEUE="gpu", FACESWAP_HOME=str(tmp_path / home))

    def state() -> str:
        return str(prefect.get(f"/flow_runs/{flow_run}").raise_for_status().json()["state_name"])

    publish = [sys.executable, "-m", "tests.team.people"]
    subprocess.run(publish, env=team.client_environment(), check=True, timeout=300)
    begin_worker("one")
    team.wait("worker")
    deployment = prefect.get("/deployments/name/train/faceswap-train").raise_for_status().json()["id"]
    asked = {"parameters": {"parameters": training(minutes=0.15)}, "state": {"type": "SCHEDULED"}}
    flow_run = prefect.post(f"/deployments/{deployment}/create_flow_run", json=asked).json()["id"]
    team.until(lambda: any(checkpoints(team).values()), 300, "no checkpoint")
    assert slots(prefect) == 1
    lose(team)
    ((run_id, step),) = checkpoints(team).items()
    assert status(team, run_id) == "RUNNING"
    team.stop("prefect", signal.SIGKILL)  # it knows who holds a slot, even so
    team.start("prefect")
    begin_worker("two")
    team.until(lambda: state() == "Crashed", 200, "nobody sees that the run is gone")
    team.until(lambda: slots(prefect) == 0, 120, "the slot of the lost run stays taken")
    team.until(lambda: status(team, run_id) == "FAILED", 60, "MLflow's run goes on without a process")

    before = losses(team, run_id)
    again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
    prefect.post(f"/flow_runs/{flow_run}/set_state", json=again).raise_for_status()
    team.until(lambda: state() in {"Completed", "Failed", "Crashed"}, 300, "the run is not tried again")
    assert state() == "Completed", team.log("worker")
    assert status(team, run_id) == "FINISHED"
    assert registered(team, run_id) == {f"face-{name}" for name in NAMES}
    assert min(at for _, at in losses(team, run_id)[len(before) :]) > step
    assert slots(prefect) == 0
    assert run_id not in checkpoints(team)
