"""A team's servers and its workers on hosts of their own, which find each other by settings alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from infra.team.setup import s3_client
from tests.team.network import Host, network
from tests.team.people import training
from tests.team.servers import Team

ASKED = "FACESWAP_TEST_HOSTS"
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not os.environ.get(ASKED), reason=f"takes two minutes: {ASKED}=1 runs it"),
]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Hosts:
    """The servers, and the hosts: "servers", "desk" of who gives commands, "one" and "two" that compute."""

    team: Team
    named: dict[str, Host]
    homes: dict[str, Path]
    scheduler: str

    def begin(self, host: str, *words: str, **more: str) -> "subprocess.Popen[str]":
        """A process of a host."""
        environment = self.team.environment | {"FACESWAP_HOME": str(self.homes[host])} | more
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command = [*self.named[host].words, sys.executable, "-m", *words]
        return subprocess.Popen(command, env=environment, cwd=ROOT, **told)  # type: ignore[call-overload, no-any-return]

    def command(self, *words: str) -> "subprocess.Popen[str]":
        """What somebody at the desk gives; what can fan out does."""
        return self.begin("desk", "infra.team", "run", "--", *words, FACESWAP_DASK_SCHEDULER=self.scheduler)


def ended(process: "subprocess.Popen[str]") -> str:
    said = process.communicate(timeout=600)[0]
    assert process.returncode == 0, said
    return said


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with network("servers", "desk", "one", "two") as named:
        team = Team(tmp_path, hosts={"": named["servers"], "worker": named["two"]})
        homes = {name: tmp_path / f"home-{name}" for name in named}
        scheduler = f"tcp://{named['one'].address}:8786"
        made = Hosts(team, named, homes, scheduler)
        joined: list[subprocess.Popen[str]] = []
        try:
            team.start("postgres", "s3")
            team.setup()
            team.start("mlflow", "prefect")
            team.begin("worker", TEAM_QUEUE="gpu", FACESWAP_HOME=str(homes["two"]))
            words = ["--host", named["one"].address, "--port", "8786", "--no-dashboard"]
            joined.append(made.begin("one", "distributed.cli.dask_scheduler", *words))
            for name in ("one", "two"):
                words = ["worker", "--scheduler", scheduler, "--processes", "1"]
                joined.append(made.begin(name, "infra.team", "run", "--", *words))
            team.wait("worker")
            yield made
        finally:
            for process in joined[::-1]:
                process.terminate()
                process.communicate(timeout=60)
            for name in {"worker"} & team.running.keys():
                team.stop(name, signal.SIGKILL)
            team.close()


def by_worker(team: Team, **parameters: object) -> None:
    """A training that a worker of the pool takes."""
    login = ("faceswap", team.settings["TEAM_PREFECT_PASSWORD"])
    url = f"{team.settings['TEAM_PREFECT_URL']}/api"
    with httpx.Client(base_url=url, auth=login, timeout=30, trust_env=False) as client:
        deployment = client.get("/deployments/name/train/faceswap-train").raise_for_status().json()["id"]
        asked = {"parameters": {"parameters": training(**parameters)}, "state": {"type": "SCHEDULED"}}
        run = client.post(f"/deployments/{deployment}/create_flow_run", json=asked).json()["id"]

        def state() -> str:
            return str(client.get(f"/flow_runs/{run}").raise_for_status().json()["state_name"])

        team.until(lambda: state() in {"Completed", "Failed", "Crashed"}, 300, "the run does not end")
        assert state() == "Completed", team.log("worker")


def test_the_whole_way_on_four_hosts(hosts: Hosts) -> None:
    team, place = hosts.team, f"s3://{hosts.team.given().bucket}/media"
    small = ["--size", "128", "--name", "bram"]
    ended(hosts.command("people", "--out", place, *small, "--name", "ada", "--seconds", "2"))
    preprocessing = [
        hosts.command("preprocess", f"{place}/{name}.mp4", "--name", name, "--consent", "a fictional person")
        for name in ("ada", "bram")
    ]
    for process in preprocessing:
        ended(process)
    by_worker(team, steps=5, face_sets=["ada", "bram"])
    pictures = f"{place}/pictures"
    ended(hosts.command("people", "--out", pictures, *small, "--pictures", "--count", "6"))
    out = f"{place}/swapped"
    ended(hosts.command("swap", f"{pictures}/bram", "--reference", "ada/1", "--out", out, "--min-face", "20"))

    client, bucket = s3_client(team.given()), team.given().bucket
    found = client.list_objects_v2(Bucket=bucket, Prefix="media/swapped/").get("Contents", [])
    assert len([one for one in found if one["Key"].endswith((".png", ".jpg"))]) == 6
    fetched = [list(hosts.homes[name].glob("cache/media/*/*")) for name in ("one", "two")]
    assert all(fetched), "both hosts took part"
    versions = team.mlflow("model-versions/search").get("model_versions", [])
    assert {one["name"] for one in versions} == {"face-ada", "face-bram"}
    (run_id,) = {one["run_id"] for one in versions}
    tags = {
        one["key"]: one["value"] for one in team.mlflow(f"runs/get?run_id={run_id}")["run"]["data"]["tags"]
    }
    assert tags["faceswap.process"].startswith("host-two "), json.dumps(tags)
