"""What Prefect's servers say on the terminal."""

import os
from importlib.util import find_spec
from pathlib import Path

import yaml

_OURS = "# Prefect's own logging.yml without what faceswap hides; take this line out to keep your changes.\n"
_NOISE = {"sqlalchemy.pool": {"level": "CRITICAL"}}
"""A temporary server that is shut down while it writes reports connections that it could not reset, with a traceback:
nothing that a user could or should do anything about."""


def write_logging(home: Path) -> None:
    """Write ``logging.yml`` into Prefect's home folder, where Prefect looks for it; a user's own stays.

    Before Prefect is imported: the file is read at that moment.
    """
    path = home / "logging.yml"
    if path.exists() and not path.read_text().startswith(_OURS):
        return
    spec = find_spec("prefect")
    if spec is None or not spec.submodule_search_locations:
        return
    config = yaml.safe_load((Path(spec.submodule_search_locations[0]) / "logging/logging.yml").read_text())
    config["loggers"] |= _NOISE
    text = _OURS + yaml.safe_dump(config, sort_keys=False)
    if path.exists() and path.read_text() == text:
        return
    part = home / f".{os.getpid()}-logging.yml"
    part.write_text(text)
    part.replace(path)
