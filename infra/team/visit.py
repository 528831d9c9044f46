"""A swap in the app, through the door with a person's login: what ``infra/team.sh try`` ends with."""

import os
import time
from pathlib import Path

import httpx

from faceswap.errors import FaceswapError, SettingsError

_PATIENCE = 60.0
"""Seconds in which the app has to list a version that was just registered."""


class VisitError(FaceswapError):
    """The door lets somebody in whom it should not, or the app does not swap."""


def visit(url: str, picture: Path, identity: str) -> tuple[Path, str]:
    """Swap a picture with the version in production, as who ``TEAM_TRY_LOGIN`` (``name:password``) says.

    Args:
        url: the app as the proxy shows it.
        picture: with a face.
        identity: whose likeness.

    Returns:
        the result, and the version that made it.

    Raises:
        SettingsError: there is no login.
        VisitError: a stranger comes in, the app does not list the version, or gives no result.
    """
    from gradio_client import Client, handle_file

    name, _, password = os.environ.get("TEAM_TRY_LOGIN", "").partition(":")
    if not password:
        raise SettingsError("TEAM_TRY_LOGIN is not set", "it is name:password of a person who was let in")
    if (status := httpx.get(url, trust_env=False, timeout=30).status_code) != httpx.codes.UNAUTHORIZED:
        raise VisitError(
            f"{url} answers a stranger with {status}", "nothing may answer without a login there"
        )
    login = httpx.BasicAuth(name, password)
    client = Client(url, verbose=False, httpx_kwargs={"auth": login, "trust_env": False, "timeout": 120})
    began = time.monotonic()
    while True:
        state = client.predict(api_name="/versions")
        if any(one["identity"] == identity and "production" in one["aliases"] for one in state["versions"]):
            break
        if time.monotonic() - began > _PATIENCE:
            raise VisitError(f"The app does not list {identity}@production: {state}", "look at its log")
        time.sleep(2)
    file, report = client.predict(
        handle_file(str(picture)), identity, "production", 0, False, {}, "the tryout", api_name="/swap"
    )
    if not report["faces"]:
        raise VisitError(f"The app found no face in {picture}", "take another picture")
    return Path(file), str(report["version"])
