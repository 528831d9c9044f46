"""What the processes of ``faceswap up`` are told: each its own secrets, and how commands find the servers."""

import os
from pathlib import Path

import pytest

from faceswap.settings import settings
from infra import logins
from infra.environments import (
    note,
    process_environment,
    running_environment,
    use_running_servers,
    write_note,
)
from infra.up import procfile
from tests.s3 import use_server

SECRETS = {
    "FACESWAP_APP_USER": "bob",
    "FACESWAP_APP_PASSWORD": "of the app",
    "FACESWAP_S3_ACCESS_KEY_ID": "of S3",
    "FACESWAP_S3_SECRET_ACCESS_KEY": "of S3",
    "AWS_SECRET_ACCESS_KEY": "of S3",
    "AWS_SESSION_TOKEN": "of S3",
    "MLFLOW_TRACKING_PASSWORD": "elsewhere",
    "PREFECT_API_KEY": "elsewhere",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://of:Prefect@db/x",
}


@pytest.fixture(autouse=True)
def no_servers_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("PREFECT_", "AWS_"))]:
        monkeypatch.delenv(name)


def holders(text: str) -> set[str]:
    """The processes in whose environment a text stands."""
    return {
        name
        for name in procfile()
        if text in " ".join(process_environment(name, {"PATH": "/", **SECRETS}).values())
    }


def test_each_process_knows_its_own_secrets_only() -> None:
    assert set(procfile()) == {"mlflow", "prefect", "flows", "app"}
    assert holders("of the app") == {"app"}
    assert holders("of S3") == {"mlflow", "flows", "app"}
    assert holders("elsewhere") == set()
    assert holders("of:Prefect") == {"prefect"}
    assert holders(logins.prefect_login()) == {"prefect", "flows"}


def test_mlflows_server_finds_the_artifacts_in_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL", raising=False)
    use_server(monkeypatch, "http://127.0.0.1:9")
    found = process_environment("mlflow")
    assert found["MLFLOW_S3_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("key", "secret")


def test_the_login_is_random_kept_and_private(home: Path) -> None:
    first = logins.prefect_login()
    assert len(first.split(":")[1]) >= 32
    assert logins.prefect_login() == first
    assert (home / "prefect-login").stat().st_mode & 0o777 == 0o600
    (home / "prefect-login").chmod(0o644)  # others may have read it
    second = logins.prefect_login()
    assert second != first
    assert (home / "prefect-login").stat().st_mode & 0o777 == 0o600


def test_a_login_of_the_users_own_is_taken(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "me:mine")
    assert logins.prefect_login() == "me:mine"
    assert not (home / "prefect-login").exists()


def test_commands_log_in_by_themselves(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    home.mkdir()
    monkeypatch.setattr(os, "environ", dict(os.environ))
    write_note()
    assert note().stat().st_mode & 0o777 == 0o600
    use_running_servers()
    assert os.environ["PREFECT_API_AUTH_STRING"] == logins.prefect_login()
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"


@pytest.mark.parametrize(
    ("url", "logs_in"), [("http://127.0.0.1:4200/api", True), ("http://127.0.0.1:4201/api", False)]
)
def test_the_login_goes_to_our_own_server_only(
    monkeypatch: pytest.MonkeyPatch, home: Path, url: str, logs_in: bool
) -> None:
    home.mkdir()
    monkeypatch.setattr(os, "environ", {**os.environ, "PREFECT_API_URL": url})
    write_note()
    assert running_environment()
    use_running_servers()
    assert ("PREFECT_API_AUTH_STRING" in os.environ) == logs_in
    assert not settings().tracking_uri
