"""A team's databases: dumped as of one moment and loaded again, by PostgreSQL's own programs."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from faceswap.errors import StorageError
from infra.team.settings import team
from infra.team.setup import DATABASES, make_databases


def is_used() -> bool:
    """Whether this process is given a team's database."""
    return bool(team().database_password.get_secret_value())


def artifacts() -> str:
    """Where MLflow's artifacts are."""
    return f"s3://{team().bucket}/mlflow"


def dump(folder: Path) -> Iterator[Path]:
    """A dump of each database.

    Raises:
        StorageError: it can't be dumped.
    """
    for name in DATABASES:
        file = folder / f"{name}.pgdump"
        _run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={name}")
        yield file


def load(files: Sequence[Path]) -> None:
    """Load dumps into the databases, which are made where they are missing.

    Raises:
        StorageError: one can't be loaded.
    """
    make_databases(team())
    for file in files:
        _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={file.stem}", str(file))


def tables() -> list[str]:
    """Databases that hold tables already."""
    make_databases(team())
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    asked = {name: _run("psql", "-At", f"--dbname={name}", "-c", count) for name in DATABASES}
    return [f"database {name}" for name, answer in asked.items() if int(answer)]


def _run(program: str, *words: str) -> str:
    own = team()
    host, _, port = own.database.partition(":")
    login = {"PGHOST": host, "PGPORT": port or "5432", "PGUSER": own.database_user}
    login["PGPASSWORD"] = own.secret("database_password")
    try:
        done = subprocess.run(
            [program, *words], env=os.environ | login, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise StorageError(f"There is no {program} on this machine", "install PostgreSQL's client") from error
    if done.returncode:
        raise StorageError(f"{program} failed: {done.stderr.strip()[:400]}", "look at PostgreSQL's log")
    return done.stdout.strip()
