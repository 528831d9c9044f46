"""serve: the app in a browser."""

from typing import Annotated

import typer

from faceswap.cli.common import quiet_imports, spoken_errors
from faceswap.output.console import say


def serve(
    host: Annotated[str, typer.Option(help="address; default: FACESWAP_APP_HOST")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port; default: FACESWAP_APP_PORT")] = 0,
) -> None:
    """The app: swap pictures, videos and the camera in a browser."""
    with spoken_errors():
        from faceswap.settings import settings
        from serving.guard.access import check

        given = {key: value for key, value in (("app_host", host), ("app_port", port)) if value}
        chosen = settings().model_copy(update=given)
        check(chosen)  # before the long imports
        with quiet_imports():
            from serving.server import serve as run

        say(f"http://{chosen.app_host}:{chosen.app_port}  (Ctrl-C stops it)")
        run(chosen)
