"""Where a version's files are: MLflow stores absolute places, and homes are moved, copied and renamed."""

from pathlib import Path

import mlflow

from faceswap.errors import RegistryError
from faceswap.files.home_paths import local_path, moved_below
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
    here = moved_below(old, root) if root is not None else None
    if here is not None:
        return here.as_uri()
    if old.exists():
        return old.as_uri()
    raise RegistryError(
        f"The files are no longer at {old}, nor below {root or settings().artifacts}",
        "set FACESWAP_HOME to the folder that holds mlflow.db and artifacts, or FACESWAP_ARTIFACT_ROOT to where "
        "the artifacts are now",
    )


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
