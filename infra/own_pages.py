"""A server on this machine answers its own pages, not those of other servers that a browser has open."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
"""What this machine calls itself."""
_REFUSED = "This server answers its own pages only, under its own name."
_POLICY_VIOLATION = 1008
"""WebSocket close code, RFC 6455, 7.4.1."""


class OwnPages:
    """ASGI middleware: what a foreign page asks for, or what is asked for under a foreign name, is refused with 403.

    A page elsewhere can let a browser send requests to any server of this machine; under a name which that page's
    owner lets point to this machine (DNS rebinding) it could read the answers as well. Programs, which send no
    ``Origin``, pass.

    Args:
        app: what is guarded.
        hosts: names in ``Host``, without a port; empty: any, for servers with a login that others may reach.
        origins: what ``Origin`` may be besides the address that was asked, such as ``http://localhost:4200``.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)
        self.origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in {"http", "websocket"} or self._is_own(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": _REFUSED})
        else:
            await PlainTextResponse(_REFUSED, status_code=403)(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        host = headers.get("host", "").lower()
        if self.hosts and _name(host) not in self.hosts:
            return False
        origin = headers.get("origin", "").lower()
        return not origin or origin in self.origins or origin.partition("://")[2] == host


def _name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
