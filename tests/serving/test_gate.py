"""No event of the app opens a file that was not uploaded, over real HTTP."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
import uvicorn

from faceswap.errors import MediaError
from faceswap.media.images import write_image
from faceswap.settings import settings
from serving.app import build
from serving.guard.gate import GuardedBlocks, check_files, spoken
from serving.server import server
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.serving.test_server import free_port, given
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

_SAYS = "takes uploaded files and its own examples only"


@dataclass
class App:
    url: str
    page: GuardedBlocks
    asked: list[str]
    """Addresses that somebody fetched from :attr:`other`."""
    other: str

    def run(self, call: int, data: list[Any]) -> httpx.Response:
        """One event without the queue, as a program calls it."""
        body = {"data": data, "fn_index": call, "session_hash": "s", "event_data": {"index": 0}}
        return httpx.post(f"{self.url}/gradio_api/run/predict", json=body, timeout=60)


@contextmanager
def running(web: Any) -> Iterator[str]:
    port = free_port()
    process = uvicorn.Server(uvicorn.Config(web, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=process.run, daemon=True)
    thread.start()
    while not process.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.should_exit = process.force_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    folder = tmp_path_factory.mktemp("gate")
    shop = workshop(MemoryRegistry(listed("ada", 1, "production")), KnownFaces(face_at(80, 100, 90)), folder)
    shop.catalogue.refresh()
    other = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    built: list[GuardedBlocks] = []
    patched = pytest.MonkeyPatch()
    patched.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
    patched.setattr("serving.server.build", lambda *args: built.append(build(*args)) or built[0])
    with running(server(shop, given())) as url:
        yield App(url, built[0], asked, f"http://127.0.0.1:{other.server_port}")
    patched.undo()
    other.shutdown()


@pytest.fixture
def traps(app: App, tmp_path: Path) -> dict[str, str]:
    """What must not be opened, by kind."""
    uploads = app.page.folders[0]
    uploads.mkdir(parents=True, exist_ok=True)
    picture = tmp_path / "secret.png"
    write_image(picture, smooth_noise(200, 320))
    made = [uploads / name for name in ("link.png", "fifo.png", "socket.png", "folder.png")]
    made[0].symlink_to(picture)
    os.mkfifo(made[1])
    with socket.socket(socket.AF_UNIX) as one:
        here = os.open(uploads, os.O_RDONLY)  # a socket's path is short: it is bound through the descriptor
        one.bind(f"/proc/self/fd/{here}/socket.png")
        os.close(here)
    made[3].mkdir()
    return {
        "a file of the server": str(picture),
        "a system file": "/etc/passwd",
        "the database": str(settings().home_path / "mlflow.db"),
        "upwards": str(uploads / ".." / ".." / "x.png"),
        "a link": str(made[0]),
        "a fifo": str(made[1]),
        "a socket": str(made[2]),
        "a folder": str(made[3]),
        "a device": "/dev/zero",
        "standard input": "/dev/stdin",
        "a zero byte": str(uploads / "a\0b.png"),
        "a long name": str(uploads / ("a" * 5000)),
    }


def file_of(path: str | None, **more: Any) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def calls(page: GuardedBlocks) -> list[tuple[str, int, int]]:
    """(name, number, inputs) of each event that takes anything from outside, API endpoints by their name."""
    found = []
    for number, one in page.fns.items():
        if any(not block.stateful for block in one.inputs):
            name = one.api_name or f"{one.name} {number}"
            found.append((str(name), number, len(one.inputs)))
    return found


def test_no_event_takes_anything_but_uploads(app: App, traps: dict[str, str]) -> None:
    events = calls(app.page)
    names = {name for name, _, _ in events}
    assert {"swap", "swap_video", "compare", "faces"} <= names
    assert any(name.startswith("frame") for name in names), "the camera's stream"
    before = files_below(app.page.folders[0])
    sent = [(kind, file_of(path)) for kind, path in traps.items()] + [
        ("an address", file_of(f"{app.other}/a.png")),
        ("an address beside", file_of(None, url=f"{app.other}/b.png")),
        ("a stream", file_of("/etc/passwd", is_stream=True)),
        ("a list", [[file_of("/etc/passwd")]]),
        ("no meta", {"path": "/etc/passwd"}),
        ("content and a path", file_of("/etc/passwd", url="data:image/png;base64,AAAA")),
    ]
    files = gr.Image | gr.Video | gr.File | gr.Gallery | gr.ImageSlider
    tried: set[Any] = set()
    for name, number, count in events:
        event = app.page.fns[number]
        takes = event.fn not in tried and any(isinstance(block, files) for block in event.inputs)
        tried.add(event.fn)
        # All kinds where a function takes a file; two for its other events, and for those that take none.
        for kind, value in sent if takes else (sent[0], sent[5]):
            answer = app.run(number, [value] * count)
            assert answer.status_code == 500, f"{name} took {kind}: {answer.text}"
            assert _SAYS in answer.json()["error"], f"{name}, {kind}: {answer.text}"
            assert "root:" not in answer.text
    assert files_below(app.page.folders[0]) == before, "something was copied"
    assert app.asked == []
    assert httpx.get(f"{app.url}/health").json()["status"] == "ok"


@pytest.mark.parametrize("endpoint", ["swap", "swap_video", "compare", "faces"])
def test_an_endpoint_refuses_through_the_queue_too(app: App, endpoint: str) -> None:
    count = {name: count for name, _, count in calls(app.page)}[endpoint]
    body = {"data": [file_of("/etc/passwd")] + [None] * (count - 1)}
    event = httpx.post(f"{app.url}/gradio_api/call/{endpoint}", json=body).json()["event_id"]
    answer = httpx.get(f"{app.url}/gradio_api/call/{endpoint}/{event}", timeout=60).text
    assert "event: error" in answer
    assert _SAYS in answer


def test_gradio_checks_too(app: App) -> None:
    assert app.page.has_launched


def test_uploads_and_examples_are_taken(app: App, tmp_path: Path) -> None:
    example = app.page.folders[1] / "somebody.png"
    write_image(example, smooth_noise(200, 320))
    with example.open("rb") as content:
        (uploaded,) = httpx.post(f"{app.url}/gradio_api/upload", files={"files": ("a.png", content)}).json()
    number = {name: number for name, number, _ in calls(app.page)}["faces"]
    for path in (uploaded, str(example)):
        answer = app.run(number, [file_of(path)])
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"][0][0]["face"] == 1


def test_the_app_fetches_no_address(app: App) -> None:
    for path in (f"file={app.other}/x", f"proxy={app.other}/x", f"file=//{app.other}/x"):
        assert httpx.get(f"{app.url}/gradio_api/{path}").status_code == 403
    assert app.asked == []


def test_the_check_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "in").symlink_to(tmp_path)
    check_files(
        [{"path": str(tmp_path / "a.png")}, 3, "text", None, {"value": {"url": "data:,"}}], [tmp_path]
    )
    check_files({"path": None, "url": "data:image/png;base64,", "meta": {}}, [tmp_path])
    check_files({"path": str(tmp_path / "in" / "a.png")}, [tmp_path])  # where it leads is what counts
    nested: Any = {"path": "/etc/passwd"}
    for _ in range(100):
        nested = [nested]
    for value in ({"path": 3}, {"path": ""}, {"path": "/etc/passwd"}, nested, {"path": str(tmp_path)}):
        with pytest.raises(MediaError):
            check_files(value, [tmp_path])


def test_what_is_gone_from_a_list_is_said_without_a_traceback() -> None:
    """A page that is older than what there is to choose from."""
    said = spoken(gr.Error("Value: 'bram' is not in the list of choices: ['emeric']"))
    assert "not there any more" in str(said)
    assert not said.print_exception
    assert not spoken(gr.Error("another")).print_exception
