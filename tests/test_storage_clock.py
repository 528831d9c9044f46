"""A server that refuses tells its time: whether a clock that is off is the cause, where no code says so."""

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from faceswap import storage
from faceswap.errors import StorageError
from tests.s3 import use_server


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How far a server's clock, which refuses all, is ahead of this machine's, s."""
    seconds = [0.0]

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(403)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + seconds[0], usegmt=True)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use_server(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield seconds
        server.shutdown()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3600, "clock is wrong, 60 minutes ahead of the server's"),
        (7200, "clock is wrong, 120 minutes behind the server's"),
        (600, "permission is denied"),
        (0, "permission is denied"),
    ],
)
def test_a_refusal_by_a_server_of_another_time_names_the_clock(
    ahead: list[float], seconds: float, said: str
) -> None:
    ahead[0] = seconds
    with pytest.raises(StorageError, match=said) as refused:
        storage.sha256_of("s3://faces/x")
    assert ("set the clock" in str(refused.value)) == ("clock" in said)
