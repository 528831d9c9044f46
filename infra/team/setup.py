"""What has to be there before the servers start: databases, the bucket, the proxy's configuration and users."""

import os
import secrets
import time
import warnings
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from faceswap.errors import FaceswapError, StorageError
from faceswap.files.atomic import write_text
from infra.team.settings import SECRET_NAMES, TeamSettings

if TYPE_CHECKING:
    import httpx

DATABASES = ("mlflow", "mlflow_auth", "prefect")
_PATIENCE = 120.0
"""Seconds that PostgreSQL and S3 have to answer."""


class SetupError(FaceswapError):
    """A server that the others need does not answer."""


def setup(own: TeamSettings) -> None:
    """Make what is missing; what is there stays. May be repeated.

    Raises:
        SetupError: PostgreSQL or S3 does not answer.
        SettingsError: a secret is missing.
    """
    for name in SECRET_NAMES:
        own.secret(name)
    _patiently("PostgreSQL", lambda: make_databases(own))
    _patiently("S3", lambda: make_bucket(own))
    write_proxy(own)


def make_databases(own: TeamSettings) -> None:
    """The databases of the servers."""
    import psycopg2

    host, _, port = own.database.partition(":")
    connection = psycopg2.connect(
        host=host,
        port=port or "5432",
        user=own.database_user,
        password=own.secret("database_password"),
        dbname="postgres",
        connect_timeout=5,
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database")
            known = {row[0] for row in cursor.fetchall()}
            for name in DATABASES:
                if name not in known:
                    cursor.execute(f'CREATE DATABASE "{name}"')
    finally:
        connection.close()


def s3_client(own: TeamSettings):  # type: ignore[no-untyped-def]
    """boto3's client of the team's S3."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=own.s3_url,
        region_name="us-east-1",
        aws_access_key_id=own.secret("s3_access_key"),
        aws_secret_access_key=own.secret("s3_secret_key"),
        config=Config(connect_timeout=5, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def make_bucket(own: TeamSettings) -> None:
    """The bucket."""
    client = s3_client(own)
    known = {one["Name"] for one in client.list_buckets().get("Buckets", [])}
    if own.bucket not in known:
        client.create_bucket(Bucket=own.bucket)


def write_proxy(own: TeamSettings) -> None:
    """nginx's configuration; the file of users, which nobody is in at first."""
    import base64

    login = f"faceswap:{own.secret('prefect_password')}"
    app, mlflow, prefect = own.proxy_ports
    text = Template(files("infra.team").joinpath("nginx.conf").read_text()).substitute(
        folder=own.proxy_folder,
        resolver=_resolver(),
        user="user root;" if os.geteuid() == 0 else "",  # who may read the users' file
        app=own.app_url,
        mlflow=own.mlflow_url,
        prefect=own.prefect_url,
        app_port=app,
        mlflow_port=mlflow,
        prefect_port=prefect,
        mlflow_host=own.mlflow_url.partition("://")[2],
        prefect_login=base64.b64encode(login.encode()).decode(),
        proxy_key=own.secret("proxy_key"),
    )
    write_text(own.proxy_folder / "nginx.conf", text)
    (own.proxy_folder / "nginx.conf").chmod(0o640)
    users = own.proxy_folder / "users"
    if not users.exists():
        users.touch(mode=0o640)


def _resolver() -> str:
    """nginx's directive for whom this container asks for addresses; empty where there is nobody to ask."""
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                return f"resolver {f'[{address}]' if ':' in address else address} valid=5s;"
    return ""


def add_user(own: TeamSettings, name: str, password: str, admin: bool = False) -> None:
    """Let a person in: at the proxy, and in MLflow under the same name and password.

    Raises:
        SetupError: MLflow does not take the user.
    """
    import httpx

    _write_user(own, name, f"{name}:{_hashed(password)}")
    with _mlflow_users(own) as client:
        answer = client.post("create", json={"username": name, "password": password})
        if answer.status_code == httpx.codes.BAD_REQUEST:  # there is one: a new password
            answer = client.patch("update-password", json={"username": name, "password": password})
        if answer.is_success and admin:
            answer = client.patch("update-admin", json={"username": name, "is_admin": True})
    if not answer.is_success:
        raise SetupError(
            f"MLflow does not take the user {name}: {answer.text[:200]}",
            "names have letters and digits, passwords 12 characters or more",
        )


def forget_user(own: TeamSettings, name: str) -> None:
    """Let a person in no more: at the proxy at once, in MLflow when its cache of logins has ended (60 s).

    Raises:
        SetupError: MLflow does not forget the user.
    """
    import httpx

    _write_user(own, name)
    with _mlflow_users(own) as client:
        answer = client.request("DELETE", "delete", json={"username": name})
    if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
        raise SetupError(f"MLflow does not forget the user {name}: {answer.text[:200]}", "try again")


def _write_user(own: TeamSettings, name: str, *lines: str) -> None:
    """Put these lines in place of the one of that name into the proxy's file of users."""
    users = own.proxy_folder / "users"
    kept = [line for line in users.read_text().splitlines() if line.partition(":")[0] != name]
    write_text(users, "\n".join([*kept, *lines, ""]))
    users.chmod(0o640)


def _mlflow_users(own: TeamSettings) -> "httpx.Client":
    """A client of MLflow's API of users, as its administrator."""
    import httpx

    login = httpx.BasicAuth(own.mlflow_user, own.secret("mlflow_password"))
    return httpx.Client(
        base_url=f"{own.mlflow_url}/api/2.0/mlflow/users/", auth=login, timeout=30, trust_env=False
    )


def _hashed(password: str) -> str:
    """SHA-512 of crypt(3), which nginx checks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt

    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_SHA512))


def write_secrets(file: Path) -> None:
    """A file with all secrets at random, for the engine's ``--env-file``; one that is there stays.

    Raises:
        StorageError: there is one already.
    """
    if file.exists():
        raise StorageError(f"{file} is there already", "remove it, if no server was started with it")
    lines = [f"TEAM_{name.upper()}={secrets.token_urlsafe(24)}" for name in SECRET_NAMES]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("\n".join([*lines, ""]))


def _patiently(what: str, work: Callable[[], None]) -> None:
    began = time.monotonic()
    while True:
        try:
            return work()
        except FaceswapError:
            raise
        except Exception as error:
            if time.monotonic() - began > _PATIENCE:
                raise SetupError(f"{what} does not answer: {error}", "look at its log") from error
            time.sleep(1)
