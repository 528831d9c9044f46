"""The app as a process of its own, in a headless browser and through gradio_client."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, AuthenticationError

from faceswap import registry
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import probe
from faceswap.registry import Version
from tests.e2e.conftest import Done, environment_of, faceswap
from tests.e2e.test_all_in_one import first_frame

if TYPE_CHECKING:
    from playwright.sync_api import Page

_WAIT = 90_000


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


@pytest.fixture(scope="module")
def app(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(demo.home, tmp_path_factory.mktemp("app") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def client(app: str) -> Client:
    return Client(app, verbose=False)


@pytest.fixture(scope="module")
def target(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("target") / "somebody.png"
    write_image(path, first_frame(demo.out / "people" / "bram.mp4"))
    return path


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


@pytest.fixture(scope="module")
def page(app: str) -> "Iterator[Page]":
    sync = pytest.importorskip("playwright.sync_api", reason="the python package playwright is missing")
    chromium = (
        os.environ.get("FACESWAP_TEST_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )
    if not chromium:
        pytest.skip("no chromium to drive (set FACESWAP_TEST_CHROMIUM)")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(_WAIT)
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(app)
        opened.wait_for_selector("#picture-empty .empty")
        yield opened
        browser.close()
    outside = [url for url in asked if not url.startswith((app, "data:", "blob:"))]
    assert outside == []


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


def swap_of(page: "Page", picture: Path, version: str) -> None:
    page.set_input_files("#picture-target input[type=file]", str(picture))
    page.wait_for_selector("#picture-result img")
    page.wait_for_selector(f"#picture-done b:text-is('{version}')")


def test_from_upload_to_download_in_the_browser(
    page: "Page", target: Path, demo: Done, tmp_path: Path
) -> None:
    choose(page, "identity", "emeric")
    swap_of(page, target, "emeric/1")
    page.wait_for_selector("#picture-measures .card")
    assert page.locator("#picture-measures .card").count() == 4
    file = downloaded(page, "picture", tmp_path)
    assert '"reference": "emeric"' in faceswap(demo.home, "inspect", str(file))
    page.click("text=Where this likeness comes from")
    page.wait_for_selector("#picture-origin .lineage >> text=fictional person")


def test_an_option_changes_the_picture_at_once_and_is_stored_in_it(
    page: "Page", demo: Done, tmp_path: Path
) -> None:
    before = sources(page, "#picture-result")
    page.click("#picture-options >> text=Options")
    choose(page, "picture-mask", "rect")
    changed(page, "#picture-result", before)
    page.wait_for_selector("#picture-done b:text-is('emeric/1')")
    file = downloaded(page, "picture", tmp_path)
    assert '"mask": "rect"' in faceswap(demo.home, "inspect", str(file))
    choose(page, "picture-mask", "extended_hull")
    page.click("#picture-options >> text=Options")


def test_a_picture_without_a_face_is_told_and_the_next_one_works(
    page: "Page", target: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "grey.png", np.full((300, 300, 3), 90, np.uint8))
    page.click("#picture-target button[aria-label*='lear'], #picture-target button[aria-label*='emove']")
    page.set_input_files("#picture-target input[type=file]", str(tmp_path / "grey.png"))
    page.wait_for_selector("#picture-note [role=alert] >> text=No face was found in grey.png")
    page.click("#picture-target button[aria-label*='lear'], #picture-target button[aria-label*='emove']")
    swap_of(page, target, "emeric/1")


def test_one_of_several_faces_is_chosen_by_a_click(page: "Page") -> None:
    page.wait_for_selector("#picture-examples img[alt=together]", timeout=180_000)
    page.click("#picture-examples img[alt=together]")
    page.wait_for_selector("#picture-faces img >> nth=2")
    page.wait_for_selector("#picture-done >> text=3 faces")
    page.click("#picture-faces img >> nth=1")
    page.wait_for_selector("#picture-done >> text=1 face in")
    page.click("#picture-all")
    page.wait_for_selector("#picture-done >> text=3 faces")


def test_versions_side_by_side(page: "Page", target: Path) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.set_input_files("#compare-target input[type=file]", str(target))
    page.wait_for_selector("#compare-measures table")
    assert page.locator("#compare-measures tbody tr").count() == 2
    page.click("#compare-options >> text=Options")
    before = sources(page, "#compare-result")
    choose(page, "compare-colour", "none")
    changed(page, "#compare-result", before)
    page.get_by_role("tab", name="Picture").click()


def test_a_video_in_the_browser(page: "Page", demo: Done, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Video").click()
    page.set_input_files("#video-target input[type=file]", str(demo.out / "people" / "bram.mp4"))
    page.wait_for_selector("#video-slider img")  # a frame, before anything is swapped
    before = sources(page, "#video-slider")
    page.click("#video-options >> text=Options")
    choose(page, "video-mask", "rect")
    changed(page, "#video-slider", before)
    page.click("#video-start")
    page.wait_for_selector("#video-done >> text=frames in")
    file = downloaded(page, "video", tmp_path)
    assert '"mask": "rect"' in faceswap(demo.home, "inspect", str(file))
    page.wait_for_selector("#video-slider img")
    page.wait_for_selector("#video-measures .card")
    page.get_by_role("tab", name="Picture").click()


def test_an_alias_that_moves_serves_the_new_version_without_a_restart(
    page: "Page", client: Client, target: Path
) -> None:
    old = registry.resolve("emeric")
    with another(old) as second:
        registry.set_alias(second, "production")
        moved = time.monotonic()
        while client.predict(handle_file(target), "emeric", api_name="/swap")[1]["version"] != str(second):
            assert time.monotonic() - moved < 10, "the app did not follow the alias within 10 s"
            time.sleep(0.5)
        page.wait_for_function(
            f"document.querySelector('#version input').value == 'production → {second.version}'"
        )
        page.click("#picture-examples img[alt=ada]")
        page.wait_for_selector(f"#picture-done b:text-is('{second}')")


@contextmanager
def another(version: Version) -> Iterator[Version]:
    """The same decoder registered once more, for a while; then the alias is where it was."""
    client = mlflow.MlflowClient()
    found = client.get_model_version(version.name, str(version.version))
    new = client.create_model_version(
        version.name, found.source, run_id=found.run_id, tags=dict(found.tags), model_id=found.model_id
    )
    try:
        yield Version(version.name, int(new.version))
    finally:
        registry.set_alias(version, "production")
        client.delete_model_version(version.name, new.version)
