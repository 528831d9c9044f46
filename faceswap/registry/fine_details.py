"""A version's fine detail: what photos of the reference show beyond the network's pictures, in a file beside the graph.

The card names it by its digest. Versions from before it was kept have none, and are sharpened alone.
"""

import hashlib
from pathlib import Path

from faceswap.errors import RegistryError
from faceswap.faces.fine_detail import MOST_BYTES, FineDetail
from faceswap.files.atomic import replacing_for_user
from faceswap.registry.cards.version_card import Card

FINE_DETAIL = "fine_detail.npz"


def write_detail(detail: FineDetail | None, file: Path) -> str:
    """Write the detail of a version that will be registered.

    Returns:
        what its card names it by; empty: there is none.

    Raises:
        StorageError: the file can't be written.
    """
    if detail is None:
        return ""
    data = detail.packed()
    with replacing_for_user(file, "The fine detail", "resume: the training itself is saved") as part:
        part.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_detail(card: Card, file: Path) -> FineDetail:
    """The detail that a card names.

    Raises:
        RegistryError: the file is missing, damaged, or another one.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise RegistryError(f"The fine detail {file} is too large for one")
        data = file.read_bytes()
    except OSError as error:
        raise RegistryError(f"The fine detail {file} can't be read: {error.strerror or error}") from error
    if hashlib.sha256(data).hexdigest() != card.fine_detail_digest:
        raise RegistryError(
            f"The fine detail {file} is not the one that was registered", "register the version anew"
        )
    return FineDetail.unpack(data)
