"""Where a version's files are: MLflow stores absolute places, and homes are moved, copied and renamed."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow

from faceswap.errors import RegistryError
from faceswap.settings import settings
from faceswap.tracking import failures


def present(uri: str) -> str:
    """A place of artifacts as it is now.

    A local folder that lay in a home folder's ``artifacts`` is looked for below the present home's, and only then
    where it was. A copied home so reads its own files, and a moved one finds them.

    Args:
        uri: a folder, ``file://`` or anything else, which stays as it is.

    Raises:
        RegistryError: a local folder is at neither place.
    """
    old, root = local_path(uri), local_path(settings().artifacts)
    if old is None:
        return uri
    if root is not None:
        parts = old.parts
        for index in (i for i, part in enumerate(parts) if part == root.name):
            here = root.joinpath(*parts[index + 1 :])
            if here.exists():
                return here.as_uri()
    if old.exists():
        return old.as_uri()
    raise RegistryError(
        f"The files are no longer at {old}, nor below {root or settings().artifacts}",
        "set FACESWAP_HOME to the folder that holds mlflow.db and artifacts, or FACESWAP_ARTIFACT_ROOT to where "
        "the artifacts are now",
    )


def local_path(uri: str) -> Path | None:
    """The path of a folder or a ``file://`` URI; None for other schemes."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(uri)


def fetch(root: str, name: str, folder: Path) -> Path:
    """Download one file of an artifact folder.

    Args:
        root: the folder, as MLflow has it stored.
        name: of the file in it.
        folder: local, gets the file.

    Raises:
        RegistryError: it can't be fetched.
    """
    place = f"{present(root).rstrip('/')}/{name}"
    try:
        got = mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=str(folder))
    except failures() as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise RegistryError(
            f"{name} can't be fetched: {reason}", "look whether MLflow's artifacts are there"
        ) from error
    return Path(got)
