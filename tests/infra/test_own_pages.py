"""Who may ask a server of this machine: its own pages and programs, under its own name."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from infra.own_pages import LOCAL_NAMES, OwnPages


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


APP = Starlette(
    routes=[
        Route("/", lambda request: PlainTextResponse("hello"), methods=["GET", "POST"]),
        WebSocketRoute("/talk", talk),
    ]
)
LOCAL = OwnPages(APP, hosts=LOCAL_NAMES, origins=["http://localhost:4200", "http://127.0.0.1:4200"])
OPEN = OwnPages(APP)


def answer(app: OwnPages, **headers: str) -> int:
    return TestClient(app, base_url="http://127.0.0.1:4200").post("/", headers=headers).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:4200"},
        {"Host": "[::1]:4200"},
        {"Host": "LOCALHOST"},
        {"Origin": "http://127.0.0.1:4200"},
        {"Origin": "http://localhost:4200"},
        {"Host": "localhost:9999", "Origin": "http://localhost:9999"},  # an SSH tunnel
    ],
)
def test_own_pages_and_programs_pass(headers: dict[str, str]) -> None:
    assert answer(LOCAL, **headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:4200"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": "["},
        {"Host": ""},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:5000"},  # MLflow beside us
        {"Origin": "http://127.0.0.1:4200.evil.example"},
    ],
)
def test_foreign_ones_are_refused(headers: dict[str, str]) -> None:
    assert answer(LOCAL, **headers) == 403


def test_where_others_may_reach_it_any_name_passes_but_no_foreign_page() -> None:
    assert answer(OPEN, Host="faces.example.org") == 200
    assert answer(OPEN, Host="faces.example.org", Origin="https://faces.example.org") == 200
    assert answer(OPEN, Host="faces.example.org", Origin="https://evil.example") == 403


def test_web_sockets_are_guarded_too() -> None:
    client = TestClient(LOCAL, base_url="http://127.0.0.1:4200")
    with client.websocket_connect("ws://127.0.0.1:4200/talk") as socket:
        assert socket.receive_text() == "hello"
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1:4200/talk", headers={"Origin": "http://evil.example"}),
    ):
        pass
