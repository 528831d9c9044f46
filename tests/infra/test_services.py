import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from faceswap.errors import SettingsError
from faceswap.settings import settings
from infra.services import check_ports, services

ELSEWHERE = "127.0.0.2"
"""An address of this machine that is not 127.0.0.1: on Linux all of 127.0.0.0/8 are."""


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a web server that listens on one other address only."""
    try:
        server = HTTPServer((ELSEWHERE, 0), Answers)
    except OSError:
        pytest.skip(f"this machine has no {ELSEWHERE}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def configure(monkeypatch: pytest.MonkeyPatch, host: str, port: int) -> None:
    monkeypatch.setenv("FACESWAP_APP_HOST", host)
    monkeypatch.setenv("FACESWAP_APP_PORT", str(port))
    for name in ("MLFLOW", "PREFECT"):
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"FACESWAP_{name}_PORT", str(probe.getsockname()[1]))
    settings.cache_clear()


def test_the_app_is_asked_where_it_listens(monkeypatch: pytest.MonkeyPatch, elsewhere: int) -> None:
    configure(monkeypatch, ELSEWHERE, elsewhere)
    assert services()["app"].healthy()
    configure(monkeypatch, "127.0.0.1", elsewhere)
    assert not services()["app"].healthy()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:7861"),
        ("::", "http://[::1]:7861"),
        ("::1", "http://[::1]:7861"),
        ("10.1.2.3", "http://10.1.2.3:7861"),
        ("localhost", "http://localhost:7861"),
    ],
)
def test_the_address_is_one_that_can_be_opened(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    configure(monkeypatch, host, 7861)
    assert services()["app"].url == url
    assert services()["mlflow"].url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", [ELSEWHERE, "0.0.0.0"])
def test_a_port_is_taken_where_the_app_would_listen(
    monkeypatch: pytest.MonkeyPatch, elsewhere: int, host: str
) -> None:
    configure(monkeypatch, host, elsewhere)
    with pytest.raises(SettingsError, match=f"(?s)Port {elsewhere} for App .*FACESWAP_APP_PORT"):
        check_ports()
    configure(monkeypatch, "127.0.0.1", elsewhere)
    check_ports()


@pytest.mark.parametrize("host", ["192.0.2.7", "nowhere.invalid"])
def test_an_address_of_another_machine_is_said(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    configure(monkeypatch, host, 7861)
    with pytest.raises(SettingsError, match=f"(?s){host}.*no address of this machine.*FACESWAP_APP_HOST"):
        check_ports()
