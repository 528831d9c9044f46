"""The app as a process of its own, and a browser that looks at it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import environment_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_WAIT = 90_000
_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def served(home: Path, log: Path, **settings: str) -> Iterator[str]:
    """The app's address while it runs."""
    port = free_port()
    environment = environment_of(home) | {"FACESWAP_APP_PORT": str(port)} | settings
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "faceswap.cli", "serve"], env=environment, stdout=output, stderr=output
        )
        try:
            end = time.monotonic() + 180
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                try:
                    with urllib.request.urlopen(f"{url}/health", timeout=5):
                        break
                except OSError:
                    time.sleep(0.3)
            yield url
            assert "Traceback" not in log.read_text(), log.read_text()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def chromium() -> "Iterator[Browser]":
    """A headless browser with a camera that shows a moving pattern; skips the test where there is none."""
    sync = pytest.importorskip("playwright.sync_api", reason="the python package playwright is missing")
    program = (
        os.environ.get("FACESWAP_TEST_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )
    if not program:
        pytest.skip("no chromium to drive (set FACESWAP_TEST_CHROMIUM)")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", *_CAMERA])
        yield browser
        browser.close()


def opened(browser: "Browser", url: str, width: int = 1280) -> "Page":
    """The app's page in a window."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(_WAIT)
    page.goto(url)
    page.wait_for_selector("#picture-empty .empty")
    return page


def choose(page: "Page", box: str, text: str) -> None:
    """Choose an entry of a dropdown."""
    page.click(f"#{box} input")
    page.get_by_role("option", name=text, exact=True).click()


def sources(page: "Page", box: str) -> str:
    """Of all pictures shown in a component."""
    return str(page.evaluate(f"() => [...document.querySelectorAll('{box} img')].map(i => i.src).join()"))


def changed(page: "Page", box: str, before: str) -> None:
    """Wait until a component shows other pictures than before."""
    page.wait_for_function(
        f"before => [...document.querySelectorAll('{box} img')].map(i => i.src).join() !== before", arg=before
    )


def downloaded(page: "Page", tab: str, folder: Path) -> Path:
    """The tab's result, as its button gives it."""
    with page.expect_download() as download:
        page.click(f"#{tab}-download")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file
