"""What a team's servers share: addresses and secrets, from ``TEAM_…`` variables or files in ``/run/secrets``."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from faceswap.errors import SettingsError

SECRETS = Path("/run/secrets")
"""Where an engine mounts secrets: the file ``team_database_password`` holds TEAM_DATABASE_PASSWORD."""
_LEAST = 16
"""Characters of a secret; those that ``python -m infra.team secrets`` makes have 32."""
_NO_SECRETS = ("changeme", "change-me", "password", "secret", "example", "faceswap")


class TeamSettings(BaseSettings):
    """Addresses have defaults that fit the compose file; secrets have none."""

    model_config = SettingsConfigDict(
        env_prefix="TEAM_", extra="ignore", secrets_dir=SECRETS if SECRETS.is_dir() else None
    )

    database: str = Field("postgres:5432", description="host and port of PostgreSQL")
    database_user: str = Field(
        "faceswap", description="owner of the databases mlflow, mlflow_auth and prefect"
    )
    database_password: SecretStr = Field(SecretStr(""), description="its password")
    s3_url: str = Field("http://s3:8333", description="S3 as the servers reach it")
    s3_access_key: SecretStr = Field(SecretStr(""), description="S3 access key")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="S3 secret key")
    bucket: str = Field("faceswap", description="that holds artifacts, face sets, checkpoints and results")
    mlflow_url: str = Field("http://mlflow:5000", description="MLflow as the servers reach it")
    mlflow_user: str = Field("faceswap", description="MLflow's administrator, as which the servers come")
    mlflow_password: SecretStr = Field(SecretStr(""), description="its password")
    mlflow_key: SecretStr = Field(SecretStr(""), description="with which MLflow signs its forms")
    prefect_url: str = Field("http://prefect:4200", description="Prefect as the servers reach it")
    prefect_password: SecretStr = Field(SecretStr(""), description="with which servers come to Prefect")
    app_url: str = Field("http://app:7860", description="the app as the proxy reaches it")
    proxy_key: SecretStr = Field(SecretStr(""), description="by which the app knows the proxy")
    proxy_folder: Path = Field(Path("/proxy"), description="where the proxy's configuration and users are")
    proxy_ports: tuple[int, int, int] = Field(
        (8080, 8081, 8082), description="where the proxy listens for the app, MLflow and Prefect"
    )
    public_url: str = Field("http://localhost:8080", description="the app as browsers reach it")
    public_mlflow_url: str = Field("http://localhost:8081", description="MLflow as browsers reach it")
    public_prefect_url: str = Field("http://localhost:8082", description="Prefect as browsers reach it")
    listen: str = Field("0.0.0.0", description="address that the servers listen on, inside of their network")
    queue: str = Field("cpu", description="what a worker takes: cpu (everything else) or gpu (trainings)")
    slots: int = Field(1, ge=1, description="trainings at a time on a worker's host, one a GPU")

    def secret(self, name: str) -> str:
        """A secret's value.

        Raises:
            SettingsError: it is not set, too short, or a word that everybody would guess.
        """
        value: str = getattr(self, name).get_secret_value()
        variable = f"TEAM_{name.upper()}"
        fix = "`python -m infra.team secrets FILE` makes all of them at random (docs/team.md)"
        if not value:
            raise SettingsError(f"{variable} is not set, and there is no {SECRETS}/team_{name}", fix)
        guessed = any(word in value.lower() for word in _NO_SECRETS)
        if (len(value) < _LEAST or guessed) and name != "s3_access_key":
            raise SettingsError(f"{variable} is too easy to guess: {_LEAST} random characters or more", fix)
        return value

    def database_url(self, driver: str, name: str) -> str:
        """SQLAlchemy's address of one of the databases."""
        from urllib.parse import quote

        password = quote(self.secret("database_password"), safe="")
        return f"postgresql+{driver}://{self.database_user}:{password}@{self.database}/{name}"


@lru_cache
def team() -> TeamSettings:
    """The settings of this process, read once.

    Raises:
        SettingsError: one has a value that it can't have.
    """
    try:
        return TeamSettings()
    except ValidationError as error:
        wrong = [f"TEAM_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError("\n  ".join(wrong), "correct it in the environment") from error


SECRET_NAMES = tuple(
    name for name, field in TeamSettings.model_fields.items() if field.annotation is SecretStr
)
"""All that has to be secret."""
