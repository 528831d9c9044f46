"""Whether a Prefect API answers, asked before a flow begins: Prefect's own client would try for minutes."""

import os
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from faceswap.errors import FaceswapError, SettingsError
from faceswap.output.redaction import redacted

_SECONDS = 10.0
"""A server on two busy cores has answered within 3 s."""
WITHOUT = "to go without, set it to nothing: PREFECT_API_URL= faceswap …"


class PrefectError(FaceswapError):
    """Prefect's server does not answer, refuses, or was lost while a flow ran."""


def check_api(url: str) -> None:
    """Ask the API at ``url`` (the value of PREFECT_API_URL) for its version, with the login of the environment.

    Raises:
        SettingsError: it is no address, or the server does not take the login.
        PrefectError: there is no answer, or not one of Prefect.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise SettingsError(
            f"PREFECT_API_URL is {redacted(url)!r}, which is no address",
            f"it is like http://127.0.0.1:4200/api; {WITHOUT}",
        )
    headers, auth = {}, None
    if login := os.environ.get("PREFECT_API_AUTH_STRING", ""):
        name, _, password = login.partition(":")
        auth = httpx.BasicAuth(name, password)
    elif key := os.environ.get("PREFECT_API_KEY", ""):
        headers["Authorization"] = f"Bearer {key}"
    try:
        found = httpx.get(
            f"{url.rstrip('/')}/admin/version",
            auth=auth,
            headers=headers,
            timeout=_SECONDS,
            follow_redirects=True,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PrefectError(
            f"Prefect at {redacted(url)} (PREFECT_API_URL) does not answer: {str(error) or type(error).__name__}",
            f"start it or correct PREFECT_API_URL; {WITHOUT}",
        ) from error
    if found.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise SettingsError(
            f"Prefect at {redacted(url)} (PREFECT_API_URL) does not take the login",
            f"set PREFECT_API_AUTH_STRING to its user:password; {WITHOUT}",
        )
    if os.environ.get("PREFECT_API_KEY") and found.status_code == httpx.codes.NOT_FOUND:
        return  # Prefect Cloud tells no version
    with suppress(ValueError):
        if found.is_success and isinstance(found.json(), str):
            return
    raise PrefectError(
        f"{redacted(url)} (PREFECT_API_URL) does not answer as Prefect's API does: status {found.status_code}",
        f"the address ends with /api, as http://127.0.0.1:4200/api; {WITHOUT}",
    )
