"""Where the app may listen, and who may come in."""

import ipaddress
import secrets
import socket
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

from starlette.requests import Request

from faceswap.errors import SettingsError
from faceswap.settings import Settings
from infra.own_pages import LOCAL_NAMES

Check = Callable[[str, str], bool]
"""Whether a user's name and password are right."""


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
    if not password and not settings.app_proxy_key.get_secret_value() and not is_local(settings.app_host):
        raise SettingsError(
            f"Without a login the app listens on this machine only, not on {settings.app_host}",
            "set FACESWAP_APP_USER and FACESWAP_APP_PASSWORD (behind a proxy that asks who people are: "
            "FACESWAP_APP_PROXY_KEY), or FACESWAP_APP_HOST=127.0.0.1",
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


def own_hosts(settings: Settings) -> set[str]:
    """Names under which the app answers; none where others may reach it: its login guards it then."""
    if not is_local(settings.app_host):
        return set()
    return {*LOCAL_NAMES, settings.app_host, urlsplit(settings.app_origin).hostname or settings.app_host}


def proxied(settings: Settings) -> Callable[[Request], str | None] | None:
    """Who asks, as the proxy says that knows the key; None where no proxy is set."""
    key = settings.app_proxy_key.get_secret_value()
    if not key:
        return None

    def user(request: Request) -> str | None:
        given = request.headers.get("x-proxy-key", "")
        if not secrets.compare_digest(given.encode(), key.encode()):
            return None
        return request.headers.get("x-forwarded-user") or None

    return user


def login(settings: Settings) -> Check | None:
    """The check of user and password, or None where there is no login."""
    user, password = settings.app_user, settings.app_password.get_secret_value()
    if not password:
        return None

    def allowed(given_user: str, given_password: str) -> bool:
        right = secrets.compare_digest(given_user.encode(), user.encode())
        return secrets.compare_digest(given_password.encode(), password.encode()) and right

    return allowed
