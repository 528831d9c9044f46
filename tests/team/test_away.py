"""Prefect's server is away in the middle of a training, for more than a minute and for good; and PostgreSQL alone."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from flows.staying import LOST
from tests.team.people import NAMES
from tests.team.people import training as parameters
from tests.team.runs import begin_worker, checkpoints, registered, status
from tests.team.servers import Team

pytestmark = pytest.mark.timeout(1800)
MINUTES = 1.4
"""Of a training, the first seconds with Prefect's server, all else without."""


@dataclass(frozen=True)
class Training:
    """One by a worker, as Prefect and MLflow know of it."""

    prefect: httpx.Client
    flow_run: str
    run_id: str

    def state(self) -> str:
        """Of its flow run."""
        return str(self.prefect.get(f"/flow_runs/{self.flow_run}").raise_for_status().json()["state_name"])


@pytest.fixture(scope="module")
def training(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Training]:
    """By a worker."""
    publish = subprocess.Popen([sys.executable, "-m", "tests.team.people"], env=team.client_environment())
    team.start("prefect")
    begin_worker(team, tmp_path_factory.mktemp("worker"), PREFECT_CLIENT_MAX_RETRIES="2")
    team.wait("worker")
    assert publish.wait(300) == 0
    login = ("faceswap", team.settings["TEAM_PREFECT_PASSWORD"])
    url = f"{team.settings['TEAM_PREFECT_URL']}/api"
    try:
        with httpx.Client(base_url=url, auth=login, timeout=30, trust_env=False) as client:
            deployment = client.get("/deployments/name/train/faceswap-train").raise_for_status().json()["id"]
            asked = {
                "parameters": {"parameters": parameters(minutes=MINUTES)},
                "state": {"type": "SCHEDULED"},
            }
            flow_run = client.post(f"/deployments/{deployment}/create_flow_run", json=asked).json()["id"]
            team.until(lambda: any(checkpoints(team).values()), 300, "no checkpoint")
            (run_id,) = checkpoints(team)
            yield Training(client, flow_run, run_id)
    finally:
        for name in {"worker", "prefect"} & team.running.keys():
            team.stop(name, signal.SIGKILL)


def test_a_run_that_prefect_took_for_lost_says_that_it_goes_on(team: Team, training: Training) -> None:
    """As it does where its server, or PostgreSQL, was away for longer than three quarters of a minute."""
    crashed = {"state": {"type": "CRASHED", "message": LOST}}
    training.prefect.post(f"/flow_runs/{training.flow_run}/set_state", json=crashed).raise_for_status()
    assert training.state() == "Crashed"
    team.until(lambda: training.state() == "Running", 60, "the run stays lost")
    assert status(team, training.run_id) == "RUNNING"


def test_without_postgresql_a_training_ends_with_a_sentence_and_goes_on_elsewhere(
    team: Team, training: Training, tmp_path: Path
) -> None:
    team.stop("prefect", signal.SIGKILL)  # for all that follows

    def saved() -> set[str]:
        return {run_id for run_id, step in checkpoints(team).items() if step} - {training.run_id}

    own = team.client_environment() | {"PREFECT_API_URL": ""}
    here, there = (own | {"FACESWAP_HOME": str(tmp_path / name)} for name in ("here", "there"))
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    words = ["-m", "tests.team.people", "--minutes", "0.2"]
    process = subprocess.Popen([sys.executable, *words], env=here, **told)  # type: ignore[call-overload]
    team.until(lambda: saved() or process.poll() is not None, 300, "no checkpoint")
    (run_id,) = saved()
    team.stop("postgres", signal.SIGQUIT)
    said = process.communicate(timeout=300)[0]
    team.start("postgres")
    assert process.returncode == 1, said
    assert "Traceback" not in said
    (reason,) = [line for line in said.splitlines() if line.startswith("TrackingError: ")]
    assert team.settings["TEAM_MLFLOW_URL"] in reason
    assert "its database" in reason
    assert len(reason) < 400
    assert f"`faceswap train --resume {run_id}` goes on with the training" in said
    assert not registered(team, run_id)

    words = ["-m", "faceswap.cli", "train", "--resume", run_id]
    done = subprocess.run([sys.executable, *words], check=False, env=there, timeout=300, **told)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout
    assert registered(team, run_id) == {f"face-{name}" for name in NAMES}
    assert status(team, run_id) == "FINISHED"


def test_a_training_of_a_worker_ends_well_without_prefects_server(team: Team, training: Training) -> None:
    assert "prefect" not in team.running
    team.until(lambda: status(team, training.run_id) != "RUNNING", 300, "it does not end")
    assert status(team, training.run_id) == "FINISHED", team.log("worker")
    assert registered(team, training.run_id) == {f"face-{name}" for name in NAMES}
    team.until(lambda: training.run_id not in checkpoints(team), 60, "its checkpoints stay")
