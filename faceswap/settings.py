"""One settings object, from the environment (``FACESWAP_…``) and ``.env``."""

import re
import socket
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from faceswap.errors import SettingsError


class Settings(BaseSettings):
    """What one may set without touching code; the defaults need no server (SQLite, local files)."""

    model_config = SettingsConfigDict(env_prefix="FACESWAP_", env_file=".env", extra="ignore")

    home: Path = Field(
        Path(".faceswap"), description="folder that holds all state: runs, face sets, databases"
    )
    tracking_uri: str = Field("", description="MLflow's tracking URI; empty: SQLite under home")
    tracking_pages: str = Field(
        "", description="MLflow as browsers reach it, for links; empty: as this process reaches it"
    )
    artifact_root: str = Field(
        "", description="where MLflow puts artifacts without a server; empty: under home"
    )
    experiment: str = Field("faceswap", description="what the names of the MLflow experiments begin with")
    face_sets: str = Field("", description="folder or s3:// prefix for face sets; empty: under home")
    work: str = Field("", description="local folder for checkpoints of running trainings; empty: under home")
    cache: str = Field("", description="local folder for downloaded versions; empty: under home")
    workers: int = Field(
        0,
        ge=0,
        description="processes for extraction and for swaps of long videos and many files; 0: one per core",
    )
    dask_scheduler: str = Field(
        "",
        description="Dask scheduler whose workers look for faces and swap, tcp://HOST:8786; empty: this machine does",
    )
    dask_tls: str = Field(
        "",
        description="folder with ca.pem, cert.pem and key.pem for connections to tls://HOST:8786; empty: plain ones",
    )
    energy_price: float = Field(
        0.0, ge=0, description="money for a kWh, in any currency: what a training's energy cost; 0: not said"
    )
    hour_price: float = Field(
        0.0, ge=0, description="money for an hour of this machine, as a cloud asks for; 0: not said"
    )
    machine_watts: float = Field(
        0.0,
        ge=0,
        description="power of this machine at work, W, for an estimate in place of counters; 0: counters",
    )
    max_pixels: int = Field(120_000_000, gt=0, description="largest picture or frame that is read, in pixels")
    detector: Literal["mediapipe", "hog", "cnn"] = Field(
        "hog",
        description="what finds faces: MediaPipe's models, or dlib's hog or cnn (wants a GPU build of dlib)",
    )
    mlflow_port: int = Field(5000, gt=0, lt=65536, description="where `faceswap up` lets MLflow listen")
    prefect_port: int = Field(4200, gt=0, lt=65536, description="where `faceswap up` lets Prefect listen")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = Field("text", description="of log lines")
    webhook_url: SecretStr = Field(
        SecretStr(""), description="address that is told of trainings and promotions, JSON; empty: none"
    )
    s3_endpoint_url: str = Field("", description="S3 endpoint, from http:// or https:// on; empty: AWS")
    s3_region: str = Field("us-east-1", description="S3 region")
    s3_access_key_id: str = Field("", description="S3 access key; empty: boto3's own chain")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="S3 secret key")
    s3_attempts: int = Field(5, ge=1, le=20, description="tries of a request to S3, with growing pauses")
    s3_public_url: str = Field(
        "", description="S3's address as browsers reach it, for links to results; empty: the endpoint"
    )
    cache_gb: float = Field(
        50.0, ge=0, description="local copies of S3's media and face sets above this make room, GB; 0: never"
    )
    checkpoints: str = Field(
        "", description="s3:// prefix that keeps a running training's checkpoints, too; empty: only here"
    )
    outputs: str = Field(
        "", description="s3:// prefix to which the app sends its results, linked for a while; empty: none"
    )
    gates: str = Field(
        "",
        description="what a version has to reach for production: a JSON list of "
        '{"metric": NAME, "at_most" or "at_least": NUMBER, "margin": NUMBER}; empty: the defaults',
    )
    credentials: str = Field(
        "",
        description="folder of the certificate that signs outputs, and of trusted roots; empty: under home",
    )
    consent_seconds: float = Field(
        300.0,
        ge=0,
        le=86400,
        description="so long what was known last of consents counts while neither MLflow nor the face sets answer, s",
    )
    require_target_consent: bool = Field(
        False, description="refuse swaps that do not say who confirmed that the target may be edited"
    )
    app_host: str = Field("127.0.0.1", description="address the app listens on; beyond this machine: a login")
    app_port: int = Field(7860, ge=1, le=65535, description="port the app listens on")
    app_user: str = Field("", description="user name of the app's login; empty: no login")
    app_password: SecretStr = Field(SecretStr(""), description="password of the app's login")
    app_proxy_key: SecretStr = Field(
        SecretStr(""), description="secret of a proxy that has asked who people are and says so; empty: none"
    )
    app_metrics: bool = Field(False, description="the app answers Prometheus at /metrics, without a login")
    app_origin: str = Field(
        "", description="address under which a proxy shows the app, such as https://faces.example.org"
    )
    app_memory_mb: int = Field(1000, ge=1, description="memory for weights of loaded versions, MB")
    app_poll_seconds: float = Field(4.0, gt=0, le=60, description="how often the app looks for moved aliases")
    app_workers: int = Field(2, ge=1, le=64, description="pictures that the app works on at a time")
    app_queue: int = Field(32, ge=1, description="requests that may wait; more are refused")
    app_max_mb: int = Field(200, ge=1, description="largest file the app takes, MB")
    app_max_pixels: int = Field(
        25_000_000, gt=0, description="largest picture or frame the app takes, pixels"
    )
    app_max_seconds: float = Field(60.0, gt=0, description="longest video the app takes, s")
    app_keep_hours: float = Field(12.0, gt=0, description="after this time uploads and results are deleted")

    @field_validator("checkpoints", "outputs")
    @classmethod
    def _in_s3(cls, uri: str) -> str:
        if uri and not re.fullmatch(r"s3://[^/]+(/.*)?", uri):
            raise ValueError("it has to be an s3:// prefix, such as s3://faces/checkpoints")
        return uri

    @field_validator("s3_endpoint_url", "s3_public_url")
    @classmethod
    def _with_scheme(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("an endpoint's address begins with http:// or https://")
        return url

    @property
    def home_path(self) -> Path:
        """The absolute state folder."""
        return self.home.expanduser().resolve()

    @property
    def tracking(self) -> str:
        """The tracking URI, with its default filled in."""
        return self.tracking_uri or f"sqlite:///{self.home_path / 'mlflow.db'}"

    @property
    def artifacts(self) -> str:
        """The artifact root for new experiments; only used where the tracking URI is a database."""
        return self.artifact_root or (self.home_path / "artifacts").as_uri()

    @property
    def face_sets_root(self) -> str:
        """Folder or s3:// prefix of the face sets."""
        if self.face_sets.startswith("~"):
            return str(Path(self.face_sets).expanduser())
        return self.face_sets or str(self.home_path / "face-sets")

    @property
    def work_path(self) -> Path:
        """Local folder of running trainings."""
        return Path(self.work).expanduser().resolve() if self.work else self.home_path / "work"

    @property
    def cards_path(self) -> Path:
        """Where trainings of this machine note which GPU they hold."""
        return self.work_path / "cards" / socket.gethostname()

    @property
    def cache_path(self) -> Path:
        """Local folder of downloaded versions."""
        return Path(self.cache).expanduser().resolve() if self.cache else self.home_path / "cache"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: one has a value that it can't have.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"FACESWAP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']} (got {_shown(e['input'])!r})"
            for e in error.errors()
        ]
        raise SettingsError("\n  ".join(wrong), "correct it in the environment or in .env") from error


def _shown(value: object) -> object:
    """What was given; of a text with an @ only what follows, since a password may stand before."""
    return f"***@{value.rpartition('@')[2]}" if isinstance(value, str) and "@" in value else value
