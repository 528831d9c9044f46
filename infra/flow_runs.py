"""Prefect's server asked for what it lists, with its login."""

import uuid
from collections.abc import Generator
from typing import Any

import httpx

from faceswap.errors import FaceswapError, SettingsError
from infra.environments import running_environment
from infra.logins import known_login, login_file

_UNFINISHED = ["RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING"]
_SERVED = "train/faceswap-train"
"""One of the deployments that flows/deployments.py serves, with its flow; all are registered before one is ready."""
_READS = {"GET", "HEAD", "OPTIONS"}


class Login(httpx.Auth):
    """Logs in, and gives a request that may change something the token that Prefect's CSRF protection wants.

    Args:
        login: ``user:password``; empty: the server asks for none.
    """

    requires_response_body = True

    def __init__(self, login: str) -> None:
        self._basic = httpx.BasicAuth(*login.split(":", 1)) if login else httpx.Auth()
        self._client = str(uuid.uuid4())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Fetch a token where one is needed, then send the request."""
        if request.method not in _READS:
            url = request.url.copy_with(path="/api/csrf-token", params={"client": self._client})
            found = yield from self._sign(httpx.Request("GET", url))
            if found.is_success:  # otherwise the server does without
                token = found.json()["token"]
                request.headers.update({"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": self._client})
        yield from self._sign(request)

    def _sign(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        return (yield next(self._basic.auth_flow(request)))


def client(server: str) -> httpx.Client:
    """What talks to Prefect's API at ``server``, the server of this home folder, with paths from ``/api/`` on."""
    login = running_environment().get("PREFECT_API_AUTH_STRING") or known_login()
    return httpx.Client(base_url=server, auth=Login(login), timeout=20, trust_env=False)


def unfinished(server: str) -> list[dict[str, str]]:
    """Name, state, start (ISO 8601) and page of the runs that have not ended; ``server`` is its address.

    Raises:
        SettingsError: it does not know our login: it serves another home folder.
        FaceswapError: it does not answer as Prefect does.
    """
    question = {
        "flow_runs": {"state": {"type": {"any_": _UNFINISHED}}},
        "sort": "EXPECTED_START_TIME_DESC",
        "limit": 50,
    }
    return [
        {
            "name": run["name"],
            "state": run["state_name"],
            "since": run["start_time"] or run["expected_start_time"] or "",
            "url": f"{server}/runs/flow-run/{run['id']}",
        }
        for run in _ask(server, "/api/flow_runs/filter", question)
    ]


def flows_are_served(server: str) -> bool:
    """Whether a process waits for runs of our deployments; ``server`` is Prefect's address."""
    try:
        with client(server) as prefect:
            found = prefect.get(f"/api/deployments/name/{_SERVED}")
        return found.is_success and found.json()["status"] == "READY"
    except (httpx.HTTPError, ValueError):
        return False


def _ask(server: str, path: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        with client(server) as prefect:
            found = prefect.post(path, json=question)
        if found.status_code == httpx.codes.UNAUTHORIZED:
            raise SettingsError(
                f"The Prefect server at {server} does not take the login in {login_file()}",
                "it belongs to another home folder: set FACESWAP_HOME to that, or FACESWAP_PREFECT_PORT to our own",
            )
        found.raise_for_status()
        return list(found.json())
    except (httpx.HTTPError, ValueError) as error:
        raise FaceswapError(f"The Prefect server at {server} gives no answer: {error}") from error
