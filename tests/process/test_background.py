"""Reports to servers that stand still: nobody waits for them, nothing gets lost unsaid."""

import contextvars
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient

from faceswap.errors import TrackingError
from faceswap.process.background import Background
from faceswap.tracking import Run

LONG = 60.0


class Gate:
    """A receiver that stands still until it is opened, and notes what it got."""

    def __init__(self) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.got: list[object] = []

    def take(self, what: object) -> None:
        self.reached.set()
        assert self.open.wait(LONG)
        self.got.append(what)


def test_calls_are_made_in_order_while_nobody_waits() -> None:
    gate, background = Gate(), Background("the gate")
    for number in range(20):
        background.submit("number", lambda number=number: gate.take(number))  # type: ignore[misc]
    assert gate.got == []  # the first still stands, and yet all were submitted
    assert not background.flush(0.01)
    gate.open.set()
    assert background.flush(LONG)
    assert gate.got == list(range(20))
    assert background.account() == ""


def test_beyond_the_capacity_the_oldest_is_given_up_and_counted() -> None:
    gate, background = Gate(), Background("the gate", capacity=3)
    background.submit("picture", lambda: gate.take(0))
    assert gate.reached.wait(LONG)  # 0 is being delivered, so it counts as waiting, too
    for number in range(1, 6):
        background.submit("picture", lambda number=number: gate.take(number))  # type: ignore[misc]
    gate.open.set()
    assert background.flush(LONG)
    assert gate.got == [0, 3, 4, 5]
    assert background.account() == "2 x picture"
    assert background.account() == ""


def test_of_what_is_replaced_only_the_newest_is_delivered_and_no_loss_is_told() -> None:
    gate, background = Gate(), Background("the gate", capacity=1)
    background.submit("picture", lambda: gate.take("picture"))
    assert gate.reached.wait(LONG)
    for share in range(100):
        background.submit("progress", lambda share=share: gate.take(share), replaces=True)  # type: ignore[misc]
    gate.open.set()
    assert background.flush(LONG)
    assert gate.got == ["picture", 99]
    assert background.account() == ""


def test_what_waits_at_the_end_is_counted_by_kind() -> None:
    gate, background = Gate(), Background("the gate")
    for kind in ("picture", "number", "picture"):
        background.submit(kind, lambda: gate.take(0))
    assert not background.flush(0.01)
    assert background.account() == "1 x number, 2 x picture"
    gate.open.set()
    assert background.flush(LONG)


def test_a_refusal_is_told_and_the_next_call_is_made(caplog: pytest.LogCaptureFixture) -> None:
    gate, background = Gate(), Background("The gate")
    gate.open.set()

    def refuse() -> None:
        raise ValueError("no pictures on Sundays\nand more")

    background.submit("picture", refuse)
    background.submit("picture", lambda: gate.take(2))
    assert background.flush(LONG)
    assert gate.got == [2]
    assert background.account() == "1 x picture"
    assert "The gate did not take a picture: no pictures on Sundays" in caplog.text


def test_calls_see_the_context_of_who_submits_and_the_thread_is_made_anew() -> None:
    who = contextvars.ContextVar("who", default="nobody")
    seen, background = [], Background("the gate")
    for name in ("ada", "ben"):
        who.set(name)
        background.submit("name", lambda: seen.append(who.get()))
        assert background.flush(LONG)
    assert seen == ["ada", "ben"]


class Server(ThreadingHTTPServer):
    """MLflow's log-batch, behind a gate: it accepts, and answers when it is opened."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.gate = Gate()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.gate.take(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "600")
    one = Server()
    thread = threading.Thread(target=one.serve_forever, daemon=True)
    thread.start()
    yield one
    one.gate.open.set()
    one.shutdown()
    one.server_close()


def run_at(server: Server) -> Run:
    return Run(MlflowClient(f"http://127.0.0.1:{server.server_address[1]}"), "r" * 32)


def sent(bodies: list[Any]) -> list[tuple[str, float, int]]:
    return [(m["key"], m["value"], int(m.get("step", 0))) for body in bodies for m in body["metrics"]]


def test_numbers_of_a_server_that_stood_still_arrive_in_order_with_their_times(server: Server) -> None:
    run = run_at(server)
    for step in range(3000):
        run.metrics({"loss": step / 7, "nothing": float("nan")}, step)
    assert server.gate.got == []
    server.gate.open.set()
    run.flush(LONG)
    assert sent(server.gate.got) == [("loss", step / 7, step) for step in range(3000)]
    times = [int(m["timestamp"]) for body in server.gate.got for m in body["metrics"]]
    assert times == sorted(times)


def test_what_a_server_never_takes_is_counted(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    run = run_at(server)
    for step in range(7):
        run.metrics({"loss": 1.0, "rate": 2.0}, step)
    run.image(np.zeros((8, 8, 3), np.uint8), "preview", 3, None)
    with pytest.raises(
        TrackingError, match=r"did not take 14 numbers of run r+ within 0 s: it does not answer"
    ):
        run.flush(0.1)
    server.gate.open.set()
    run.flush(LONG)
    assert len(sent(server.gate.got)) == 14
    assert "is without 1 x picture preview" in caplog.text  # this server knows no pictures


def test_more_numbers_than_can_wait_are_counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceswap.tracking.runs._MOST_NUMBERS", 5)
    run = run_at(server)
    run.metrics({"a": 1.0, "b": 2.0, "c": 3.0})
    run.metrics({"a": 1.0, "b": 2.0, "c": 3.0}, 1)
    server.gate.open.set()
    with pytest.raises(TrackingError, match="did not take 1 numbers"):
        run.flush(LONG)
    assert len(sent(server.gate.got)) == 5
