"""A webhook that is told, and one that does not answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from faceswap.output.notify import notify, telling_of_training
from faceswap.settings import settings


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FACESWAP_WEBHOOK_URL", url)
    settings.cache_clear()


def test_a_training_tells_how_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use(monkeypatch, f"http://127.0.0.1:{server.server_port}/secret")
    with telling_of_training("ada + ben", "r1"):
        pass
    with pytest.raises(OSError), telling_of_training("ada + ben", "r2"):
        raise OSError("no s3://key:word@host")
    with pytest.raises(KeyboardInterrupt), telling_of_training("ada + ben", "r3"):
        raise KeyboardInterrupt
    server.shutdown()
    server.server_close()
    assert [(one["event"], one["run_id"]) for one in told] == [
        ("training.finished", "r1"),
        ("training.failed", "r2"),
    ]
    assert "word" not in told[1]["text"]


def test_a_webhook_that_does_not_answer_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(monkeypatch, "http://127.0.0.1:9")
    notify("version.promoted", "face-ada/2 is in production")
    assert "the webhook did not take" in caplog.text
