"""PostgreSQL, S3, MLflow and the proxy as processes, started as the compose file starts them; and their faults."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from faceswap.files.atomic import write_text
from infra.team.setup import s3_client
from tests.team.servers import Team, begin, did, ended

pytestmark = pytest.mark.timeout(1800)  # servers start slowly on a busy machine
DOWN_SECONDS = 3.0
"""How long a server is away in these tests."""
PASSWORD = "correct horse battery"


def aliases(team: Team) -> dict[str, int]:
    found = team.mlflow("registered-models/get?name=face-ada")["registered_model"]
    return {one["alias"]: int(one["version"]) for one in found["aliases"]}


def test_two_register_a_version_at_once_and_another_machine_has_it(team: Team, tmp_path: Path) -> None:
    both = [begin(team, "register", tmp_path / name) for name in ("one", "two")]
    for process in both:
        ended(process)
    found = aliases(team)
    assert found.keys() == {"production", "challenger"}
    assert set(found.values()) == {1, 2}

    did(team, "draw", tmp_path / "three")
    # who has it goes on without S3; who has not is told what is wrong
    team.stop("s3", signal.SIGKILL)
    did(team, "draw_again", tmp_path / "three")
    assert "→" in did(team, "draw", tmp_path / "four", fails=True)
    team.start("s3")
    did(team, "draw", tmp_path / "four")


def test_a_damaged_artifact_is_refused(team: Team, tmp_path: Path) -> None:
    client, bucket = s3_client(team.given()), team.given().bucket
    listed = client.list_objects_v2(Bucket=bucket, Prefix="mlflow/")["Contents"]
    keys = [one["Key"] for one in listed if one["Key"].endswith("/swap.onnx")]
    whole = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    assert len(whole) >= 2  # those of the two, and of other tests
    try:
        for key, content in whole.items():
            client.put_object(Bucket=bucket, Key=key, Body=content[:-1] + bytes([content[-1] ^ 1]))
        assert "not the one that was registered" in did(team, "draw", tmp_path, fails=True)
    finally:
        for key, content in whole.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)
    did(team, "draw", tmp_path)


def steps(process: "subprocess.Popen[str]", count: int) -> None:
    """Wait until a training has made so many more."""
    for _ in range(count):
        assert process.stdout.readline().strip(), process.communicate()[1]  # type: ignore[union-attr]


def test_a_training_goes_on_while_s3_is_away(team: Team, tmp_path: Path) -> None:
    process = begin(team, "train", tmp_path)
    steps(process, 5)
    team.stop("s3", signal.SIGKILL)
    steps(process, 15)  # a tenth of a second each at least; a checkpoint comes every second
    team.start("s3")
    steps(process, 5)
    (tmp_path / "enough").touch()
    ended(process)


def test_a_training_goes_on_while_its_clock_is_an_hour_off(team: Team, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    process = begin(team, "train", tmp_path / "home", CLOCK=str(clock))
    steps(process, 5)
    for off in ("3600", "-3600"):
        write_text(clock, off)
        steps(process, 30)  # more than a checkpoint's time
    write_text(clock, "0")
    steps(process, 5)
    (tmp_path / "home" / "enough").touch()
    assert "this machine's clock is wrong" in ended(process)


@pytest.mark.parametrize(("off", "said"), [("3600", "60 minutes ahead"), ("-3600", "60 minutes behind")])
def test_who_asks_with_a_wrong_clock_is_told_that_it_is_the_clock(
    team: Team, tmp_path: Path, off: str, said: str
) -> None:
    clock = tmp_path / "clock"
    clock.write_text(off)
    error = ended(begin(team, "look", tmp_path / "home", CLOCK=str(clock)), fails=True)
    assert f"this machine's clock is wrong, {said}" in error
    assert "set the clock" in error


def test_a_worker_of_the_pool_takes_a_flow(team: Team) -> None:
    number = aliases(team)["challenger"]
    team.start("prefect")
    team.start("worker")
    try:
        words = ["deployment", "run", "promote/faceswap-promote", "--watch", "--watch-interval", "1"]
        given = json.dumps({"parameters": {"version": f"ada/{number}", "to": "challenger", "by": "ada.l"}})
        team.setup("run", "--program", "prefect", "--", *words, "--watch-timeout", "300", "--params", given)
    finally:
        for name in ("worker", "prefect"):
            team.stop(name, signal.SIGKILL)
    assert "ada.l" in json.dumps(team.mlflow(f"model-versions/get?name=face-ada&version={number}"))


@pytest.mark.parametrize("name", ["postgres", "mlflow"])
def test_a_server_that_is_away_for_a_while_loses_no_number(team: Team, tmp_path: Path, name: str) -> None:
    process = begin(team, "log", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    team.stop(name, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    time.sleep(DOWN_SECONDS)
    team.start(name)
    (tmp_path / "enough").touch()
    _, wrong = process.communicate(timeout=600)
    assert process.returncode == 0, wrong


def test_the_backup_of_running_servers_is_restored_into_empty_ones(team: Team, tmp_path: Path) -> None:
    def command(*words: str) -> None:
        team.setup("run", "--", *words)

    command("backup", str(tmp_path / "all.tar"))
    for name in ("mlflow", "postgres", "s3"):
        team.stop(name, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
    team.empty()
    team.start("postgres", "s3")
    team.setup()
    command("restore", str(tmp_path / "all.tar"))
    team.start("mlflow")
    did(team, "draw", tmp_path / "elsewhere")


def test_one_login_at_the_door(team: Team) -> None:
    if not shutil.which("nginx"):
        pytest.skip("there is no nginx on this machine (Debian: apt-get install nginx-light)")
    team.start("proxy")
    team.setup("user", "ada.l", TEAM_NEW_PASSWORD=PASSWORD)
    mlflow = f"http://127.0.0.1:{team.ports['p2']}/api/2.0/mlflow/users/current"
    direct = f"{team.settings['TEAM_MLFLOW_URL']}/api/2.0/mlflow/users/current"
    with httpx.Client(timeout=30, trust_env=False) as client:
        for url in (mlflow, direct):
            assert client.get(url).status_code == 401
            assert client.get(url, auth=("ada.l", "wrong")).status_code == 401
            found = client.get(url, auth=("ada.l", PASSWORD))
            assert found.status_code == 200, found.text
            assert "ada.l" in found.text
        for port in ("p1", "p3"):
            assert client.get(f"http://127.0.0.1:{team.ports[port]}/").status_code == 401
        team.setup("forget", "ada.l")
        assert client.get(mlflow, auth=("ada.l", PASSWORD)).status_code == 401


def test_nothing_starts_without_its_secrets(team: Team) -> None:
    for name in ("mlflow", "prefect", "app", "worker", "setup"):
        assert "is not set" in team.setup(name, fails=True, TEAM_S3_SECRET_KEY="", TEAM_DATABASE_PASSWORD="")
