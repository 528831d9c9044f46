"""The servers of one machine: started by ``faceswap up``, used through Prefect's API as its UI does."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from faceswap import registry
from faceswap.settings import settings
from flows.deployments import deployment_name
from infra.flow_runs import Login
from tests.e2e.conftest import Done, Patient, environment_of, faceswap, http
from tests.team.people import TINY

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXPERIMENT = "platform"
"""So that the demo's artifacts stay as they are."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Servers:
    """The running servers, and what talks to them."""

    process: "subprocess.Popen[str]"
    ports: dict[str, str]
    log: Path

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['FACESWAP_PREFECT_PORT']}/api"

    @property
    def login(self) -> str:
        """As the terminal says it."""
        found = re.search(r"Prefect's login: (\S+:\S+)", self.log.read_text())
        assert found
        return found[1]

    def prefect(self) -> httpx.Client:
        return httpx.Client(timeout=30, transport=Patient(), auth=Login(self.login))

    def start(self, flow: str, parameters: dict[str, Any]) -> httpx.Response:
        deployment = self.prefect().get(f"{self.api}/deployments/name/{flow}/{deployment_name(flow)}").json()
        request = {"parameters": {"parameters": parameters}, "state": {"type": "SCHEDULED"}}
        return self.prefect().post(f"{self.api}/deployments/{deployment['id']}/create_flow_run", json=request)

    def begin(self, flow: str, parameters: dict[str, Any]) -> str:
        answer = self.start(flow, parameters)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def state(self, flow_run: str) -> str:
        return str(self.prefect().get(f"{self.api}/flow_runs/{flow_run}").json()["state_name"])

    def ask(self, flow_run: str, kind: str, name: str) -> None:
        request = {"state": {"type": kind, "name": name}, "force": True}
        self.prefect().post(f"{self.api}/flow_runs/{flow_run}/set_state", json=request).raise_for_status()

    def mlflow_status(self, flow_run: str) -> str:
        server = f"http://127.0.0.1:{self.ports['FACESWAP_MLFLOW_PORT']}/api/2.0/mlflow"
        experiment = (
            http()
            .get(f"{server}/experiments/get-by-name", params={"experiment_name": f"{EXPERIMENT} training"})
            .json()["experiment"]["experiment_id"]
        )
        question = {"experiment_ids": [experiment], "filter": f"tags.`prefect.flow_run` = '{flow_run}'"}
        found = http().post(f"{server}/runs/search", json=question).json().get("runs", [])
        return str(found[0]["info"]["status"]) if found else "none"


def wait_for(what: str, check: Callable[[], bool], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def place(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's state: other tests want it as it is."""
    home = tmp_path_factory.mktemp("platform") / "home"
    shutil.copytree(demo.home, home, ignore=shutil.ignore_patterns("prefect"))
    return home


@pytest.fixture(autouse=True)
def at_the_place(home: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACESWAP_HOME", str(place))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="module")
def servers(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    names = ("FACESWAP_MLFLOW_PORT", "FACESWAP_PREFECT_PORT", "FACESWAP_APP_PORT")
    ports = {name: str(free_port()) for name in names}
    log = tmp_path_factory.mktemp("up") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "faceswap.cli", "up"],
            env=environment_of(place) | ports | {"FACESWAP_EXPERIMENT": EXPERIMENT},
            stdout=out,
            stderr=out,
            text=True,
        )
    found = Servers(process, ports, log)

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return "Ctrl-C stops" in log.read_text()

    try:
        wait_for("the servers answer", ready, 300)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)


def training(people: list[str], **more: object) -> dict[str, Any]:
    """Of networks of some kilobytes, which are not measured: what is tested here is who knows of it."""
    quick = {"changes": TINY, "checkpoint_seconds": 1, "warm_start": "", "measure_frames": 0}
    return {"face_sets": people, **quick, **more}


@pytest.fixture(scope="module")
def people() -> list[str]:
    return ["bram", "emeric"]


def checkpoints(home: Path) -> list[Path]:
    return list((home / "work" / "train").glob("*/checkpoints/step-*/state.json"))


def test_the_form_refuses_what_is_out_of_range(servers: Servers, people: list[str]) -> None:
    answer = servers.start("train", training(people, seed=-1))
    assert answer.status_code == 409
    assert "seed" in answer.text


FOREIGN = ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"})


@pytest.mark.parametrize("headers", FOREIGN, ids=["host", "origin", "sandboxed"])
@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("FACESWAP_MLFLOW_PORT", "/api/2.0/mlflow/experiments/create"),
        ("FACESWAP_PREFECT_PORT", "/api/deployments/filter"),
        ("FACESWAP_APP_PORT", "/gradio_api/queue/join"),
    ],
)
def test_foreign_pages_and_names_are_refused(
    servers: Servers, setting: str, path: str, headers: dict[str, str]
) -> None:
    server = f"http://127.0.0.1:{servers.ports[setting]}"
    with servers.prefect() as logged_in:
        answer = logged_in.post(server + path, json={}, headers=headers)
        assert answer.status_code == 403, answer.text
        assert "access-control-allow-origin" not in answer.headers
    if "Host" in headers:
        assert http().get(server, headers=headers).status_code == 403


def test_prefect_wants_the_login_and_a_token(servers: Servers, place: Path) -> None:
    assert http().get(f"{servers.api}/health").status_code == 200
    assert http().get(f"{servers.api}/admin/version").status_code == 401
    assert http().get(f"{servers.api}/admin/version", auth=("faceswap", "guess")).status_code == 401
    name, password = servers.login.split(":")
    untokened = http().post(f"{servers.api}/deployments/filter", json={}, auth=(name, password))
    assert untokened.status_code == 403
    assert "CSRF" in untokened.text
    assert servers.prefect().post(f"{servers.api}/deployments/filter", json={}).status_code == 200
    for name in ("prefect-login", "servers.json"):
        assert (place / name).stat().st_mode & 0o777 == 0o600


def test_the_pages_work_in_a_browser(servers: Servers, browser: "Browser") -> None:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    prefect = servers.api.removesuffix("/api").replace("127.0.0.1", "localhost")
    page.goto(f"{prefect}/deployments")
    page.locator("input[type=password]").fill(servers.login)
    page.keyboard.press("Enter")
    page.get_by_text("faceswap-train", exact=True).click()
    page.wait_for_url("**/deployments/deployment/**")
    page.goto(f"{page.url.split('?')[0]}/run")
    page.get_by_text("face sets of: bram, emeric").first.wait_for()
    page.get_by_text("Minutes (Optional)").wait_for()
    assert page.get_by_text('Property is type "None"').count() == 0
    page.close()


@pytest.mark.timeout(1200)
def test_cancel_saves_and_retry_goes_on(servers: Servers, place: Path, people: list[str]) -> None:
    first = servers.begin("train", training(people, minutes=0.3))
    wait_for("its turn", lambda: servers.state(first) == "Running")
    waiting = servers.begin("train", training(["nobody", "no-one"]))  # has its turn, and fails at once
    wait_for("a checkpoint", lambda: bool(checkpoints(place)))
    (run_id,) = {path.parents[2].name for path in checkpoints(place)}
    assert servers.state(waiting) in {"AwaitingConcurrencySlot", "Scheduled", "Late", "Pending"}
    servers.ask(first, "CANCELLING", "Cancelling")
    wait_for("cancelled", lambda: servers.state(first) == "Cancelled", 60)
    wait_for("MLflow says so", lambda: servers.mlflow_status(first) == "KILLED", 60)
    assert checkpoints(place)
    wait_for("the next one had its turn", lambda: servers.state(waiting) == "Failed", 300)
    servers.ask(first, "SCHEDULED", "AwaitingRetry")
    wait_for("the rest of the training", lambda: servers.state(first) == "Completed", 400)
    assert servers.mlflow_status(first) == "FINISHED"
    rows = [row for row in registry.versions() if "challenger" in row.aliases]
    assert {row.version.identity for row in rows} == set(people)
    assert {row.tags["run_id"] for row in rows} == {run_id}, "it began anew"
    assert {row.tags["bottleneck"] for row in rows} == {str(TINY["bottleneck"])}


def test_a_killed_process_shows_as_crashed(servers: Servers, place: Path, people: list[str]) -> None:
    flow_run = servers.begin("train", training(people, minutes=5))
    wait_for("a checkpoint", lambda: bool(checkpoints(place)))
    owners = []
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("PREFECT__FLOW_RUN_ID") == flow_run:
            owners.append(process.pid)
    assert owners
    for pid in owners:
        os.kill(pid, signal.SIGKILL)
    wait_for("crashed", lambda: servers.state(flow_run) == "Crashed", 60)
    wait_for("MLflow says so", lambda: servers.mlflow_status(flow_run) == "FAILED", 60)


def test_the_watch_over_runs_goes_on(servers: Servers, place: Path) -> None:
    said = (place / "logs" / "flows.log").read_text()
    assert "Exception in thread" not in said and "can't be looked through" not in said, said


def test_a_command_beside_the_servers_is_a_flow_run(servers: Servers, place: Path, target: Path) -> None:
    out = place / "swapped.png"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "faceswap.cli",
            "swap",
            str(target),
            "--reference",
            "emeric",
            "--out",
            str(out),
        ],
        env=environment_of(place) | {"FACESWAP_EXPERIMENT": EXPERIMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert out.exists()
    question = {"flows": {"name": {"any_": ["swap"]}}}
    (run,) = servers.prefect().post(f"{servers.api}/flow_runs/filter", json=question).json()
    assert (run["name"], run["state_name"]) == (f"emeric on {target.name}", "Completed")
    steps = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    tasks = servers.prefect().post(f"{servers.api}/task_runs/filter", json=steps).json()
    assert [one["state_name"] for one in tasks] == ["Completed"]
    shown = servers.prefect().post(f"{servers.api}/artifacts/filter", json=steps).json()
    assert {"markdown", "progress"} <= {one["type"] for one in shown}


def test_status_shows_servers_and_flows(servers: Servers, place: Path) -> None:
    command = [sys.executable, "-m", "faceswap.cli", "status", "--json"]
    environment = environment_of(place) | servers.ports
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert {one["state"] for one in found["servers"].values()} == {"answers"}
    assert found["flows"] == []


def test_a_second_start_is_refused(servers: Servers, place: Path, tmp_path: Path) -> None:
    assert "run already" in faceswap(place, "up", fails=True)
    taken = {"FACESWAP_HOME": str(tmp_path), "FACESWAP_PREFECT_PORT": servers.ports["FACESWAP_PREFECT_PORT"]}
    done = subprocess.run(
        [sys.executable, "-m", "faceswap.cli", "up"],
        env=environment_of(tmp_path) | taken | {"FACESWAP_MLFLOW_PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "FACESWAP_PREFECT_PORT" in done.stderr
    assert "in use" in done.stderr


def test_one_that_dies_stops_the_others_and_is_named(tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in ("FACESWAP_MLFLOW_PORT", "FACESWAP_APP_PORT")}
    home = tmp_path / "home"
    (home / "prefect").mkdir(parents=True)
    (home / "mlflow.db").write_text("this is no database" * 100)
    done = subprocess.run(
        [sys.executable, "-m", "faceswap.cli", "up"],
        env=environment_of(home) | ports | {"FACESWAP_PREFECT_PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "mlflow died" in done.stderr
    assert "not a database" in done.stderr
    assert str(home / "logs" / "mlflow.log") in done.stderr.replace("\n", "")
