"""A command is a flow where a Prefect API is, else the job itself; what fails in Prefect is said in words."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import typer

from faceswap import jobs
from faceswap.cli.common import spoken_errors
from faceswap.cli.running import run
from faceswap.errors import SettingsError, TrackingError
from faceswap.jobs import RollbackParameters
from infra.environments import use_running_servers
from infra.prefect_api import PrefectError, check_api

GIVEN = RollbackParameters(name="ada")
_SCRIPT = """
import json, sys
from faceswap.cli.running import run
from faceswap.jobs import RollbackParameters, SwapParameters, TrainParameters
from faceswap.errors import FaceswapError
asked = {
    "train": TrainParameters(face_sets=["nobody", "no-one"]),
    "swap": SwapParameters(target=sys.argv[1], reference="nobody", out=sys.argv[1] + ".out.png"),
    "rollback": RollbackParameters(name="nobody"),
}
said = {}
for name, parameters in asked.items():
    try:
        run(name, parameters)
    except FaceswapError as error:
        said[name] = error.message
prefects = sorted(name for name in sys.modules if name.partition(".")[0] in {"prefect", "flows"})
sys.stdout.write("\\n" + json.dumps([said, prefects]))
"""


class Prefect(BaseHTTPRequestHandler):
    """An API that wants ``user:secret``, and a page that answers to everything else."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == "Basic dXNlcjpzZWNyZXQ="
        api = self.path == "/api/admin/version"
        self.send_response(200 if known or not api else 401)
        self.end_headers()
        self.wfile.write(b'"3.8.8"' if api else b"<html>")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Prefect) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{one.server_address[1]}"
        one.shutdown()


@pytest.fixture(autouse=True)
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("PREFECT_")]:
        monkeypatch.delenv(name)


def test_without_an_api_nothing_of_prefect_is_imported(database: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "x.png")],
        capture_output=True,
        text=True,
        check=True,
    )
    said, prefects = json.loads(done.stdout.rsplit("\n", 1)[1])
    assert set(said) == {"train", "swap", "rollback"}
    assert "nobody" in said["train"]
    assert prefects == []


def test_an_api_that_does_not_answer_is_one_sentence(home: Path, tmp_path: Path) -> None:
    set_name = home / "face-sets" / "ada" / "0123"
    set_name.mkdir(parents=True)
    (set_name / "faceset.json").touch()
    done = subprocess.run(
        [sys.executable, "-m", "faceswap.cli", "train", "ada"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PREFECT_API_URL": "http://127.0.0.1:9/api",
            "HTTP_PROXY": "http://127.0.0.1:1",  # which could not reach it either
            "COLUMNS": "200",
        },
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "PrefectError: Prefect at http://127.0.0.1:9/api (PREFECT_API_URL) does not answer"
    )
    assert "PREFECT_API_URL= faceswap" in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr


def test_the_login_is_needed_and_taken(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="PREFECT_API_AUTH_STRING"):
        check_api(f"{server}/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "user:secret")
    check_api(f"{server}/api")
    check_api(f"{server}/api/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("SERVER", "status 200"),
        ("SERVER/apis", "status 200"),
        ("127.0.0.1:4200/api", "no address"),
        ("http:///api", "no address"),
        ("http://nowhere.invalid/api", "does not answer"),
    ],
)
def test_a_wrong_address_is_said(server: str, url: str, said: str) -> None:
    with pytest.raises((SettingsError, PrefectError), match=said) as caught:
        check_api(url.replace("SERVER", server))
    assert "PREFECT_API_URL" in caught.value.message
    assert "to go without" in (caught.value.fix or "")


def test_what_is_lost_on_the_way_is_said(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import flows

    def lost(_: object) -> None:
        raise httpx.ConnectError("All connection attempts failed")

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setenv("PREFECT_API_URL", f"{server}/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "user:secret")
    monkeypatch.setattr(flows, "rollback", lost)
    with pytest.raises(PrefectError, match="failed: All connection attempts failed"):
        run("rollback", GIVEN)
    monkeypatch.setattr(flows, "rollback", broken)
    with pytest.raises(ZeroDivisionError):  # a fault of ours keeps its traceback
        run("rollback", GIVEN)


def test_what_ended_the_job_is_said_where_prefect_did_not_take_that_it_had(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from flows import flows

    def lost(_: object) -> None:
        try:
            raise TrackingError("MLflow is away", "start it")
        except TrackingError:  # as Prefect's engine does: it tells its server of the failure
            raise httpx.ConnectError("All connection attempts failed")  # noqa: B904

    monkeypatch.setenv("PREFECT_API_URL", f"{server}/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "user:secret")
    monkeypatch.setattr(flows, "rollback", lost)
    with pytest.raises(TrackingError, match="MLflow is away"):
        run("rollback", GIVEN)
    assert "All connection attempts failed" in caplog.text


def test_a_job_that_is_told_to_end_saves_as_after_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def job(_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(30)

    monkeypatch.setattr(jobs, "rollback", job)
    with pytest.raises(typer.Exit) as caught, spoken_errors("all is kept"):
        run("rollback", GIVEN)
    assert caught.value.exit_code == 130
    assert "Interrupted; all is kept." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_prefects_settings_in_a_dotenv_file_count(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PREFECT_API_URL=http://a/api\nOTHER=1\n")
    monkeypatch.setenv("PREFECT_API_URL", "")
    use_running_servers()
    assert os.environ["PREFECT_API_URL"] == ""  # what the environment says goes before
    monkeypatch.delenv("PREFECT_API_URL")
    use_running_servers()
    assert os.environ["PREFECT_API_URL"] == "http://a/api"
    assert "OTHER" not in os.environ
