"""The app as a process of its own, through gradio_client."""

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, AuthenticationError

from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import probe
from tests.e2e.apps import served
from tests.e2e.conftest import Done, faceswap


@pytest.fixture(scope="module")
def client(app: str) -> Client:
    return Client(app, verbose=False)


def test_a_program_gets_the_file_with_its_provenance(client: Client, target: Path, demo: Done) -> None:
    file, report = client.predict(handle_file(target), "emeric", "production", 0, True, api_name="/swap")
    assert read_image(Path(file)).shape == read_image(target).shape
    assert '"reference": "emeric"' in faceswap(demo.home, "inspect", file)
    assert report["version"] == "emeric/1"
    assert report["faces"] == 1
    assert report["lineage"]["consent"]
    assert 0 < report["measures"]["identity_distance"] < 1.2
    assert not np.array_equal(read_image(Path(file)), read_image(target))


def test_a_program_gets_a_video_with_its_provenance(client: Client, demo: Done) -> None:
    clip = demo.out / "people" / "bram.mp4"
    file, report = client.predict(
        {"path": handle_file(clip)["path"], "meta": {"_type": "gradio.FileData"}},
        "emeric",
        "1",
        0,
        False,
        api_name="/swap_video",
    )
    assert probe(Path(file)).frames == probe(clip).frames
    assert '"version": "1"' in faceswap(demo.home, "inspect", file)
    assert report["video"]["swapped"] > 0


def test_versions_faces_and_comparison(client: Client, target: Path) -> None:
    rows = client.predict(api_name="/versions")["versions"]
    assert {row["version"] for row in rows} == {"emeric/1", "bram/1"}
    assert len(client.predict(handle_file(target), api_name="/faces")) == 1
    files, reports = client.predict(handle_file(target), ["emeric@production", "bram/1"], api_name="/compare")
    assert [report["version"] for report in reports] == ["emeric/1", "bram/1"]
    assert not np.array_equal(*(read_image(Path(file)) for file in files))


def test_a_program_chooses_options(client: Client, target: Path, demo: Done) -> None:
    asked = (handle_file(target), "emeric", "production", 0, False)
    file, _ = client.predict(*asked, {"mask": "rect"}, api_name="/swap")
    assert '"mask": "rect"' in faceswap(demo.home, "inspect", file)
    with pytest.raises(AppError, match="There is no option 'label' to choose"):
        client.predict(*asked, {"label": False}, api_name="/swap")


def test_errors_reach_the_program_as_messages(client: Client, target: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "grey.png", np.full((300, 300, 3), 90, np.uint8))
    with pytest.raises(AppError, match="No face was found"):
        client.predict(handle_file(tmp_path / "grey.png"), "emeric", api_name="/swap")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(AppError, match="can't be read as a picture"):
        client.predict(handle_file(tmp_path / "broken.png"), "emeric", api_name="/swap")
    with pytest.raises(AppError, match="No version of 'nobody'"):
        client.predict(handle_file(target), "nobody", api_name="/swap")


def test_several_users_at_once(app: str, target: Path) -> None:
    alone = read_image(
        Path(Client(app, verbose=False).predict(handle_file(target), "emeric", api_name="/swap")[0])
    )
    answers: list[np.ndarray] = []

    def user() -> None:
        own = Client(app, verbose=False)
        for _ in range(3):
            answers.append(read_image(Path(own.predict(handle_file(target), "emeric", api_name="/swap")[0])))

    threads = [threading.Thread(target=user) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 15
    assert all(np.array_equal(answer, alone) for answer in answers)


def test_a_login_is_asked_for(demo: Done, tmp_path: Path, target: Path) -> None:
    login = {"FACESWAP_APP_USER": "ann", "FACESWAP_APP_PASSWORD": "secret"}
    with served(demo.home, tmp_path / "log", **login) as url:
        with pytest.raises((AuthenticationError, ValueError)):
            Client(url, verbose=False)
        known = Client(url, auth=("ann", "secret"), verbose=False)
        assert known.predict(handle_file(target), "emeric", api_name="/swap")[1]["version"] == "emeric/1"
    assert "secret" not in (tmp_path / "log").read_text()


def test_it_refuses_to_be_open_to_everybody_and_a_taken_port(demo: Done) -> None:
    said = faceswap(demo.home, "serve", "--host", "0.0.0.0", fails=True)
    assert "FACESWAP_APP_PASSWORD" in said
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = faceswap(demo.home, "serve", "--port", str(other.getsockname()[1]), fails=True)
    assert "FACESWAP_APP_PORT" in said
