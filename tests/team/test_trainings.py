"""Trainings whose servers stay away, or whose worker is lost: nothing is lost, and another machine goes on."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from faceswap.model.training.checkpoints import Checkpoints
from flows.prefect_monitor import host_slot
from tests.team.people import NAMES, training
from tests.team.runs import begin_worker, checkpoints, losses, registered, status
from tests.team.servers import Team, begin, ended

pytestmark = pytest.mark.timeout(1800)
CONSENT_SECONDS = "2"
STEPS = 30
"""That a training goes on for at the other machine."""


@dataclass(frozen=True)
class Lost:
    """A training by a worker whose machine is gone, as Prefect and S3 know of it."""

    prefect: httpx.Client
    flow_run: str
    run_id: str
    step: int

    def state(self) -> str:
        """Of its flow run."""
        return str(self.prefect.get(f"/flow_runs/{self.flow_run}").raise_for_status().json()["state_name"])

    def slots(self) -> int:
        """Trainings that Prefect counts on this host."""
        found = self.prefect.get(f"/v2/concurrency_limits/{host_slot()}").raise_for_status().json()
        return int(found["active_slots"])


def lose(process: psutil.Process) -> None:
    """A process and all that it has started are gone at once, as when its machine loses power."""
    for one in [*process.children(recursive=True), process]:
        one.kill()


@pytest.fixture(scope="module")
def lost(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """Lost a minute ago, in the end: Prefect needs as long to notice, and the first test as long for itself."""
    folder = tmp_path_factory.mktemp("lost")
    publish = subprocess.Popen([sys.executable, "-m", "tests.team.people"], env=team.client_environment())
    team.start("prefect")
    begin_worker(team, folder / "one")
    team.wait("worker")
    assert publish.wait(300) == 0
    holds = begin(team, "hold", folder / "holds")
    login = ("faceswap", team.settings["TEAM_PREFECT_PASSWORD"])
    url = f"{team.settings['TEAM_PREFECT_URL']}/api"
    try:
        with httpx.Client(base_url=url, auth=login, timeout=30, trust_env=False) as client:
            deployment = client.get("/deployments/name/train/faceswap-train").raise_for_status().json()["id"]
            asked = {"parameters": {"parameters": training(minutes=0.3)}, "state": {"type": "SCHEDULED"}}
            flow_run = client.post(f"/deployments/{deployment}/create_flow_run", json=asked).json()["id"]
            team.until(lambda: any(checkpoints(team).values()), 300, "no checkpoint")
            assert holds.stdout.readline().strip() == "held"  # type: ignore[union-attr]
            assert Lost(client, flow_run, "", 0).slots() == 1
            for process in (team.running.pop("worker"), holds):
                lose(psutil.Process(process.pid))
                process.wait()
            ((run_id, step),) = checkpoints(team).items()
            assert status(team, run_id) == "RUNNING"
            team.stop("prefect", signal.SIGKILL)  # it knows who holds a slot, even so
            team.start("prefect")
            yield Lost(client, flow_run, run_id, step)
    finally:
        for name in {"worker", "prefect"} & team.running.keys():
            team.stop(name, signal.SIGKILL)


def test_servers_away_for_good_end_a_training_and_another_machine_goes_on(
    team: Team, lost: Lost, tmp_path: Path
) -> None:
    def saved() -> dict[str, int]:
        return {run_id: step for run_id, step in checkpoints(team).items() if run_id != lost.run_id}

    own = team.client_environment() | {"PREFECT_API_URL": "", "FACESWAP_CONSENT_SECONDS": CONSENT_SECONDS}
    here, there = (own | {"FACESWAP_HOME": str(tmp_path / name)} for name in ("here", "there"))
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([sys.executable, "-m", "tests.team.people", "1000000"], env=here, **told)  # type: ignore[call-overload]
    team.until(lambda: any(saved().values()) or process.poll() is not None, 300, "no checkpoint")
    for name in ("mlflow", "s3"):
        team.stop(name, signal.SIGKILL)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 1, said
    assert "Traceback" not in said
    (reason,) = [line for line in said.splitlines() if line.startswith("ConsentUnknown: ")]
    for name in ("TEAM_MLFLOW_URL", "TEAM_S3_URL"):
        assert team.settings[name] in reason
    assert len(reason) < 400
    team.start("s3", "mlflow")

    ((run_id, step),) = saved().items()
    assert f"`faceswap train --resume {run_id}` goes on with the training" in said
    left = Checkpoints(tmp_path / "here" / "work" / "train" / run_id / "checkpoints").latest()
    assert left is not None
    assert left.step > step > 0
    before = losses(team, run_id)
    words = ["train", "--resume", run_id, "--steps", str(step + STEPS)]
    done = subprocess.run(
        [sys.executable, "-m", "faceswap.cli", *words], check=False, env=there, timeout=300, **told
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout
    again = [at for _, at in losses(team, run_id)[len(before) :]]
    assert min(again) > step
    assert max(again) == step + STEPS
    assert registered(team, run_id) == {f"face-{name}" for name in NAMES}
    assert status(team, run_id) == "FINISHED"
    assert run_id not in saved()


def test_a_training_of_a_lost_worker_goes_on_at_another(team: Team, lost: Lost, tmp_path: Path) -> None:
    begin_worker(team, tmp_path / "two")
    takes = begin(team, "take", tmp_path / "takes")
    team.until(lambda: lost.state() == "Crashed", 200, "nobody sees that the run is gone")
    team.until(lambda: lost.slots() == 0, 120, "the slot of the lost run stays taken")
    team.until(lambda: status(team, lost.run_id) == "FAILED", 120, "MLflow's run goes on without a process")
    before = losses(team, lost.run_id)

    again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
    lost.prefect.post(f"/flow_runs/{lost.flow_run}/set_state", json=again).raise_for_status()
    team.until(lambda: lost.state() in {"Completed", "Failed", "Crashed"}, 300, "the run is not tried again")
    assert lost.state() == "Completed", team.log("worker")
    assert status(team, lost.run_id) == "FINISHED"
    assert registered(team, lost.run_id) == {f"face-{name}" for name in NAMES}
    assert min(step for _, step in losses(team, lost.run_id)[len(before) :]) > lost.step
    assert lost.slots() == 0
    assert lost.run_id not in checkpoints(team)
    ended(takes)  # the right to move aliases that the lost machine held
