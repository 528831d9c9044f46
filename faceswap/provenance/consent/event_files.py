"""The events of a person's consent beside their face sets: a small file each, never changed, local or in S3."""

from faceswap import storage
from faceswap.errors import ConsentError
from faceswap.provenance.consent.life import Event
from faceswap.settings import settings

FOLDER = "consent"
_known: dict[str, Event] = {}
"""Place -> event: what is written never changes, so that it is read once."""


def place_of(identity: str) -> str:
    """Folder or s3:// prefix of a person's events.

    Raises:
        ConsentError: nobody can have that name.
    """
    if not identity or "/" in identity or identity.startswith("."):
        raise ConsentError(f"{identity!r} is no name of an identity")
    return storage.join(settings().face_sets_root, identity, FOLDER)


def read(identity: str) -> list[Event]:
    """All events of a person.

    Raises:
        StorageError: they can't be read.
        ConsentError: one is damaged, so that nobody can tell what holds.
    """
    place = place_of(identity)
    found = []
    for name in storage.list_files(place):
        if not name.endswith(".json") or name.startswith("."):
            continue
        file = storage.join(place, name)
        if file not in _known:
            try:
                _known[file] = Event.model_validate_json(storage.read_bytes(file))
            except ValueError as error:
                raise ConsentError(
                    f"The consent record {file} is damaged, so nobody can tell what {identity!r} allows",
                    "restore it from a backup; its copy is in MLflow, experiment consent",
                ) from error
        found.append(_known[file])
    return found


def write(event: Event) -> None:
    """Add an event; one that is there already stays as it is.

    Raises:
        StorageError: it can't be written.
    """
    name = f"{event.at:%Y%m%dT%H%M%S}-{event.kind}-{event.id}.json"
    file = storage.join(place_of(event.identity), name)
    if not storage.exists(file):
        storage.write_bytes(file, event.model_dump_json(indent=1).encode())
