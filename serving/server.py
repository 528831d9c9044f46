"""The app as a web server: login, health, limits of uploads."""

import logging
import threading
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.utils import get_upload_folder
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware import Middleware
from starlette.responses import Response

from faceswap.errors import FaceswapError
from faceswap.faces.finding.finder import load_models
from faceswap.settings import Settings
from infra.own_pages import OwnPages
from serving.app import build, folder_of, render_examples, workshop_of
from serving.catalogue import Catalogue
from serving.guard.access import check, login, own_hosts, proxied
from serving.guard.attempts import Attempts
from serving.guard.doors import Doors, slowed
from serving.prometheus_metrics import exposition
from serving.theme import STYLES, theme
from serving.work import Workshop

logger = logging.getLogger(__name__)
_WARM = 4
_GRACE = 3


def server(workshop: Workshop, settings: Settings) -> FastAPI:
    """The web application: the page at /, and /health, which needs no login."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @web.get("/health")
    def health() -> dict[str, Any]:
        """That it runs, and whether MLflow answers."""
        state = workshop.catalogue.state
        return {"status": "ok", "versions": len(state.rows), "registry": "lost" if state.problem else "ok"}

    if settings.app_metrics:

        @web.get("/metrics")
        def metrics() -> Response:
            """For Prometheus."""
            return Response(exposition(workshop.catalogue), media_type=CONTENT_TYPE_LATEST)

    web.add_middleware(OwnPages, hosts=own_hosts(settings), origins=[settings.app_origin])
    folder, page, known = folder_of(settings), build(workshop, settings), login(settings)
    by_proxy = proxied(settings)
    doors = Middleware(Doors, uploads=Path(get_upload_folder()))
    return gr.mount_gradio_app(
        web,
        page,
        path="/",
        app_kwargs={"middleware": [doors]},
        server_name=settings.app_host,
        server_port=settings.app_port,
        footer_links=["api", "settings"],
        run_history=False,
        auth=slowed(known, Attempts()) if known and not by_proxy else None,
        auth_dependency=by_proxy,
        auth_message="faceswap",
        allowed_paths=[str(folder / "results"), str(folder / "examples")],
        show_error=True,
        max_file_size=f"{settings.app_max_mb}mb",
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=theme(),
        css_paths=[STYLES],
        i18n=gr.I18n(en={"audio.record": "Start"}),  # of the live camera, which records nothing
    )


def warm(catalogue: Catalogue) -> None:
    """Load the versions in production while nobody waits: the first one brings the whole framework."""
    for identity in catalogue.state.identities[:_WARM]:
        try:
            catalogue.get(identity)
        except FaceswapError as error:
            logger.warning("Not loaded beforehand: %s", error.message)


def serve(settings: Settings) -> None:
    """Serve until stopped.

    Raises:
        SettingsError: the settings forbid it (see :func:`serving.guard.access.check`).
    """
    check(settings)
    workshop = workshop_of(settings)
    render_examples(folder_of(settings) / "examples")
    load_models(settings.detector)
    workshop.outbox.start()
    workshop.catalogue.start()
    threading.Thread(target=warm, args=[workshop.catalogue], name="warm", daemon=True).start()
    try:
        uvicorn.run(
            server(workshop, settings),
            host=settings.app_host,
            port=settings.app_port,
            log_level="warning",
            timeout_graceful_shutdown=_GRACE,  # an open page would hold it up for ever
        )
    finally:
        workshop.catalogue.stop()
        workshop.outbox.stop()
