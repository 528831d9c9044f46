"""Prefect's server with its API and its pages, for this machine's own pages only: ``python -m infra.prefect_server``.

``prefect server start`` does the same, but answers under any name. What it listens on and its login are Prefect's own
settings, from the environment (see infra/environments.py).
"""

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings

from infra.own_pages import LOCAL_NAMES, OwnPages


def main() -> None:
    """Serve until stopped."""
    api = get_current_settings().server.api
    uvicorn.run(
        OwnPages(
            create_app(final=True),
            hosts={*LOCAL_NAMES, api.host} if api.host in LOCAL_NAMES else (),  # beyond, its login guards it
            origins=api.cors_allowed_origins.split(","),
        ),
        host=api.host,
        port=api.port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level=get_current_settings().server.logging_level.lower(),
    )


if __name__ == "__main__":
    main()
