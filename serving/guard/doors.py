"""Between the network and Gradio's routes: logins wait, uploads find the disk full, some routes are shut."""

import asyncio
import logging
import math
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse

from faceswap.files.disk import is_full
from serving.guard.access import Check
from serving.guard.attempts import LONGEST_WAIT, Attempts
from serving.guard.disk_full import free_space, full_disk

logger = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SHUT = re.compile(r"/gradio_api/(file=/*https?:|proxy=|process_recording|vibe-|undo-vibe-)", re.IGNORECASE)
"""Routes of Gradio that fetch addresses for whoever asks, or run a program on an upload; the page uses none."""
_SPARE = 64_000_000
"""Bytes that stay free on the disk beside an upload: for the results, which are written there, too."""
_caller: ContextVar[str] = ContextVar("caller", default="")


class Doors:
    """An ASGI middleware for Gradio's application.

    Args:
        app: Gradio's.
        uploads: where it puts files.
    """

    def __init__(self, app: App, uploads: Path) -> None:
        self.app, self.uploads = app, uploads
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = str(scope["path"])
        if _SHUT.search(path):
            answer = PlainTextResponse("The app does not fetch addresses.", 403)
            return await answer(scope, receive, send)
        _caller.set(scope["client"][0] if scope.get("client") else "")
        if scope["method"] == "POST" and path.rstrip("/").endswith("/login"):
            try:
                return await self.app(scope, receive, send)
            except _TooMany as error:
                seconds = math.ceil(error.seconds)
                answer = PlainTextResponse(
                    f"Too many logins were tried; try again in {seconds} s.",
                    429,
                    headers={"Retry-After": str(seconds)},
                )
                return await answer(scope, receive, send)
        if scope["method"] == "POST" and path.rstrip("/").endswith("/upload"):
            return await self._upload(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        sizes = [value for name, value in scope["headers"] if name == b"content-length"]
        size = int(sizes[0]) if sizes and sizes[0].isdigit() else 0
        full = PlainTextResponse(str(full_disk()), 507)
        if size + _SPARE > free_space(self.uploads):
            return await full(scope, receive, send)
        begun = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._running += 1
        try:
            await self.app(scope, receive, watched)
        except OSError as error:
            if begun or not is_full(error):
                raise
            logger.warning("An upload found the disk full: %s", error)
            await full(scope, receive, send)
        finally:
            self._running -= 1
            self._tidy()

    def _tidy(self) -> None:
        """Delete what failed uploads have left: whole ones have a folder each, parts lie beside these folders."""
        if not self._running:
            for part in self.uploads.iterdir():
                if part.is_file() and not part.is_symlink():
                    os.truncate(part, 0)  # Gradio may still hold it open, and then its space would stay taken
                    part.unlink()


class _TooMany(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:.0f} s")
        self.seconds = seconds


def slowed(
    check: Check, attempts: Attempts, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Callable[[str, str], Awaitable[bool]]:
    """A check of user and password that waits as the attempts before it demand; below :class:`Doors`."""

    async def allowed(user: str, password: str) -> bool:
        address = _caller.get()
        seconds = attempts.wait(address, user)
        if seconds > LONGEST_WAIT:
            raise _TooMany(seconds)
        if seconds:
            await sleep(seconds)
        right = check(user, password)
        if right:
            attempts.passed(address)
        return right

    return allowed
