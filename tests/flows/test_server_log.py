import os
import subprocess
import sys
from pathlib import Path

import yaml

SAY = """
import flows
import logging
from prefect.logging.configuration import setup_logging
setup_logging()
logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool").error("Exception during reset or similar")
logging.getLogger("sqlalchemy.engine").error("the database is locked")
"""


def said(home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SAY],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FACESWAP_HOME": str(home), "PREFECT_HOME": str(home / "prefect")},
    )
    return done.stdout + done.stderr


def test_a_server_that_ends_says_nothing_of_its_connections(tmp_path: Path) -> None:
    printed = said(tmp_path)
    assert "the database is locked" in printed
    assert "during reset" not in printed


def test_a_users_own_logging_stays(tmp_path: Path) -> None:
    own = tmp_path / "prefect" / "logging.yml"
    own.parent.mkdir(parents=True)
    text = yaml.safe_dump({"version": 1, "disable_existing_loggers": False})
    own.write_text(text)
    assert "during reset" in said(tmp_path)
    assert own.read_text() == text
