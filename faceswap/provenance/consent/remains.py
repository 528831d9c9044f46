"""What there is of a person, as a list that is kept while it is erased: a killed or refused erasure goes on with it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from faceswap.errors import StorageError
from faceswap.files.atomic import write_text
from faceswap.settings import settings


class Item(BaseModel):
    """One thing.

    Attributes:
        kind: face set, cache, worker's cache, work, output, or one of MLflow's: version, weights, model, encoder, run,
            pictures.
        place: path, URI, or MLflow's name or id.
        about: what it is, for people.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    place: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.about or self.kind} ({self.place})"


class Remains(BaseModel):
    """All that there is of a person.

    Attributes:
        items: what can be erased.
        stay: what can't, in sentences.
    """

    items: list[Item] = []
    stay: list[str] = []


class _Plan(BaseModel):
    left: list[Item] = []


def _file(identity: str) -> Path:
    return settings().home_path / "erasing" / f"{identity}.json"


def begun(identity: str) -> list[Item]:
    """What an interrupted erasure still has to do.

    Raises:
        StorageError: its list can't be read.
    """
    file = _file(identity)
    if not file.exists():
        return []
    try:
        return _Plan.model_validate_json(file.read_bytes()).left
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{file}, the list of what an interrupted erasure still has to do, can't be read: {error}",
            "delete it: the erasure searches anew",
        ) from error


def note(identity: str, left: list[Item]) -> None:
    """Write down what is still to be done; nothing left: the list goes."""
    file = _file(identity)
    if left:
        write_text(file, _Plan(left=left).model_dump_json(indent=1))
    else:
        file.unlink(missing_ok=True)
