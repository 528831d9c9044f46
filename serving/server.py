"""The app as a web server: login, health, limits of uploads."""

import ipaddress
import logging
import secrets
import socket
import threading
from contextlib import closing
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI

from faceswap.errors import FaceswapError, SettingsError
from faceswap.faces.detection import load_models
from faceswap.settings import Settings
from serving.app import build, folder_of, render_examples, workshop_of
from serving.catalogue import Catalogue
from serving.theme import STYLES, theme
from serving.work import Workshop

logger = logging.getLogger(__name__)
_WARM = 4


def check(settings: Settings) -> None:
    """Whether the app may listen where it shall.

    Raises:
        SettingsError: it would be open to others without a login, or the port is taken.
    """
    password = settings.app_password.get_secret_value()
    if bool(settings.app_user) != bool(password):
        raise SettingsError(
            "Only one of FACESWAP_APP_USER and FACESWAP_APP_PASSWORD is set", "set both, or none"
        )
    if not password and not is_local(settings.app_host):
        raise SettingsError(
            f"Without a login the app listens on this machine only, not on {settings.app_host}",
            "set FACESWAP_APP_USER and FACESWAP_APP_PASSWORD, or FACESWAP_APP_HOST=127.0.0.1",
        )
    try:
        found = socket.getaddrinfo(settings.app_host, settings.app_port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise SettingsError(
            f"FACESWAP_APP_HOST={settings.app_host} is no address of this machine: {error.strerror}",
            "use 127.0.0.1, or 0.0.0.0 with a login",
        ) from error
    except OSError as error:
        raise SettingsError(
            f"The app can't listen on {settings.app_host}:{settings.app_port}: {error.strerror}",
            "stop what uses the port, or set FACESWAP_APP_PORT to another one",
        ) from error


def is_local(host: str) -> bool:
    """True where only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def login(settings: Settings) -> Any:
    """Gradio's check of user and password, or None where there is no login."""
    user, password = settings.app_user, settings.app_password.get_secret_value()
    if not password:
        return None

    def allowed(given_user: str, given_password: str) -> bool:
        right = secrets.compare_digest(given_user.encode(), user.encode())
        return secrets.compare_digest(given_password.encode(), password.encode()) and right

    return allowed


def server(workshop: Workshop, settings: Settings) -> FastAPI:
    """The web application: the page at /, and /health, which needs no login."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @web.get("/health")
    def health() -> dict[str, Any]:
        """That it runs, and whether MLflow answers."""
        state = workshop.catalogue.state
        return {"status": "ok", "versions": len(state.rows), "registry": "lost" if state.problem else "ok"}

    folder = folder_of(settings)
    return gr.mount_gradio_app(
        web,
        build(workshop, settings),
        path="/",
        server_name=settings.app_host,
        server_port=settings.app_port,
        footer_links=["api", "settings"],
        run_history=False,
        auth=login(settings),
        auth_message="faceswap",
        allowed_paths=[str(folder / "results"), str(folder / "examples")],
        show_error=True,
        max_file_size=f"{settings.app_max_mb}mb",
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=theme(),
        css_paths=[STYLES],
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
        SettingsError: the settings forbid it (see :func:`check`).
    """
    check(settings)
    workshop = workshop_of(settings)
    render_examples(folder_of(settings) / "examples")
    load_models()
    workshop.catalogue.start()
    threading.Thread(target=warm, args=[workshop.catalogue], name="warm", daemon=True).start()
    try:
        uvicorn.run(
            server(workshop, settings), host=settings.app_host, port=settings.app_port, log_level="warning"
        )
    finally:
        workshop.catalogue.stop()
