"""The login of the Prefect server of ``faceswap up``: made at random, readable by this user only."""

import os
import secrets
import tempfile
from pathlib import Path

from faceswap.errors import StorageError
from faceswap.settings import settings

USER = "faceswap"
_RANDOM_BYTES = 24


def login_file() -> Path:
    """Where the login is kept."""
    return settings().home_path / "prefect-login"


def prefect_login() -> str:
    """``user:password`` of this home folder's server, made at the first call; a login of the user's own goes before.

    Raises:
        StorageError: the file can't be read or written.
    """
    if own := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        return own
    file = login_file()
    try:
        return known_login() or _make(file)
    except OSError as error:
        raise StorageError(
            f"{file}, the login of the Prefect server, can't be used: {error.strerror}",
            "make it readable and writable for you, or remove it",
        ) from error


def known_login() -> str:
    """The login where there is one; empty: none was made, or others could have read it."""
    try:
        with login_file().open() as file:
            safe = not os.fstat(file.fileno()).st_mode & 0o077
            text = file.read().strip()
    except FileNotFoundError:
        return ""
    return text if safe and ":" in text else ""


def _make(file: Path) -> str:
    login = f"{USER}:{secrets.token_urlsafe(_RANDOM_BYTES)}"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, login + "\n")
    return login


def write_private(file: Path, text: str) -> None:
    """Write a file at once that only this user can read."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}-", delete=False) as part:
        part.write(text)  # the temporary file is made with mode 0600
    Path(part.name).replace(file)
