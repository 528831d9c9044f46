"""One settings object, from the environment (``FACESWAP_…``) and ``.env``."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What one may set without touching code; the defaults need no server (SQLite, local files)."""

    model_config = SettingsConfigDict(env_prefix="FACESWAP_", env_file=".env", extra="ignore")

    home: Path = Field(
        Path(".faceswap"), description="folder that holds all state: runs, face sets, databases"
    )
    tracking_uri: str = Field("", description="MLflow's tracking URI; empty: SQLite under home")
    artifact_root: str = Field(
        "", description="where MLflow puts artifacts without a server; empty: under home"
    )
    experiment: str = Field("faceswap", description="MLflow experiment that the runs go to")
    face_sets: str = Field("", description="folder or s3:// prefix for face sets; empty: under home")
    work: str = Field("", description="local folder for checkpoints of running trainings; empty: under home")
    cache: str = Field("", description="local folder for downloaded versions; empty: under home")
    workers: int = Field(0, ge=0, description="processes for extraction; 0: one per core")
    max_pixels: int = Field(120_000_000, gt=0, description="largest picture or frame that is read, in pixels")
    detector: Literal["hog", "cnn"] = Field(
        "hog", description="dlib's detector; cnn wants a GPU build of dlib"
    )
    mlflow_port: int = Field(5000, gt=0, lt=65536, description="where `faceswap up` lets MLflow listen")
    prefect_port: int = Field(4200, gt=0, lt=65536, description="where `faceswap up` lets Prefect listen")
    app_port: int = Field(7860, gt=0, lt=65536, description="where the app listens")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    s3_endpoint_url: str = Field("", description="S3 endpoint; empty: AWS")
    s3_region: str = Field("us-east-1", description="S3 region")
    s3_access_key_id: str = Field("", description="S3 access key; empty: boto3's own chain")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="S3 secret key")

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
        return self.face_sets or str(self.home_path / "face-sets")

    @property
    def work_path(self) -> Path:
        """Local folder of running trainings."""
        return Path(self.work).expanduser().resolve() if self.work else self.home_path / "work"

    @property
    def cache_path(self) -> Path:
        """Local folder of downloaded versions."""
        return Path(self.cache).expanduser().resolve() if self.cache else self.home_path / "cache"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
