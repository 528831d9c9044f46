"""The compose file: what it exposes, whom it runs as, and that it starts with no secret missing."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from faceswap.errors import SettingsError
from infra.team.services import SERVICES
from infra.team.settings import SECRET_NAMES, TeamSettings
from infra.team.setup import write_secrets

INFRA = Path(__file__).parents[2] / "infra"
ENGINES_OWN = {"POSTGRES_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
    return found["services"]


def test_only_the_proxy_is_reached_from_outside(services: dict[str, Any]) -> None:
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert [name for name, one in services.items() if "outside" in one.get("networks", [])] == ["proxy"]
    networks = yaml.safe_load((INFRA / "compose.yaml").read_text())["networks"]
    assert networks["inside"] == {"internal": True}


def test_nothing_that_stays_runs_as_root_or_writes_its_image(services: dict[str, Any]) -> None:
    for name, one in services.items():
        if name == "owner":  # gives the volumes away, and ends
            assert (one["entrypoint"][0], one["restart"]) == ("chown", "no")
            continue
        assert one["user"] not in {"root", "0"}, name
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert "mem_limit" in one, name
        assert name == "setup" or "healthcheck" in one, name


def test_every_secret_has_to_be_given(services: dict[str, Any]) -> None:
    for name, one in services.items():
        for variable, value in one.get("environment", {}).items():
            if variable in ENGINES_OWN or variable.removeprefix("TEAM_").lower() in SECRET_NAMES:
                assert re.fullmatch(r"\$\{TEAM_\w+:\?[^}]+\}", value), (name, variable)


def test_no_server_starts_with_a_secret_that_is_missing_or_guessed() -> None:
    for start in SERVICES.values():
        with pytest.raises(SettingsError, match=r"TEAM_.*is not set"):
            start(TeamSettings())
    with pytest.raises(SettingsError, match="easy to guess"):
        TeamSettings(prefect_password="changeme-changeme-changeme").secret("prefect_password")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="easy to guess"):
        TeamSettings(prefect_password="short").secret("prefect_password")  # type: ignore[arg-type]


def test_gpus_are_added_to_a_service_and_its_build_takes_the_argument(services: dict[str, Any]) -> None:
    added = yaml.safe_load((INFRA / "compose.gpu.yaml").read_text())["services"]
    assert added.keys() <= services.keys()
    taken = set(re.findall(r"^ARG (\w+)", (INFRA.parent / "Dockerfile").read_text(), re.MULTILINE))
    for one in added.values():
        assert one["build"]["args"].keys() <= taken
    extras = tomllib.loads((INFRA.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert added["trainer"]["build"]["args"]["EXTRA"] in extras


@pytest.mark.parametrize("compose", [["docker-compose"], ["docker", "compose"]], ids=" ".join)
def test_compose_reads_it(tmp_path: Path, compose: list[str]) -> None:
    if (
        not shutil.which(compose[0])
        or subprocess.run([*compose, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"there is no {' '.join(compose)} on this machine")
    write_secrets(tmp_path / "secrets.env")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TEAM_")}

    def config(secrets: Path) -> "subprocess.CompletedProcess[str]":
        files = [word for name in ("compose.yaml", "compose.gpu.yaml") for word in ("-f", str(INFRA / name))]
        command = [*compose, "--env-file", str(secrets), *files, "config", "-q"]
        return subprocess.run(command, env=kept, capture_output=True, text=True, check=False)

    done = config(tmp_path / "secrets.env")
    assert done.returncode == 0, done.stderr
    some = (tmp_path / "secrets.env").read_text().splitlines()[1:]
    (tmp_path / "some.env").write_text("\n".join(some))
    assert config(tmp_path / "some.env").returncode != 0
