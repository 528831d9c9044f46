"""The app in a headless browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pytest
from gradio_client import Client, handle_file

from faceswap import registry
from faceswap.media.images import write_image
from faceswap.registry import Version
from tests.e2e.apps import changed, choose, downloaded, opened, sources
from tests.e2e.conftest import Done, faceswap

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page(app: str, browser: "Browser") -> "Iterator[Page]":
    asked: list[str] = []
    page = opened(browser, app)
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector("#picture-empty .empty")
    yield page
    page.close()
    outside = [url for url in asked if not url.startswith((app, "data:", "blob:"))]
    assert outside == []


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
    assert page.locator("#picture-measures .card").count() == 5
    assert page.locator("#picture-measures .verdict").count() == 1
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
    assert page.locator("#identity").is_visible()
    page.get_by_role("tab", name="Compare").click()
    assert not page.locator("#identity").is_visible(), "several versions are chosen within the tab"
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
    before = sources(page, "#video-slider")
    moment = page.locator("#video-moment input[type=range]")
    moment.evaluate(
        "(one) => { one.value = one.max; one.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    moment.dispatch_event("pointerup")
    changed(page, "#video-slider", before)
    page.click("#video-start")
    page.wait_for_selector("#video-done >> text=frames in")
    file = downloaded(page, "video", tmp_path)
    assert '"mask": "rect"' in faceswap(demo.home, "inspect", str(file))
    page.wait_for_selector("#video-slider img")
    page.wait_for_selector("#video-measures .card")
    page.get_by_role("tab", name="Picture").click()


def test_a_second_user_sees_the_place_in_the_queue(app: str, browser: "Browser", demo: Done) -> None:
    first, second = opened(browser, app), opened(browser, app)
    try:
        for page in (first, second):
            page.get_by_role("tab", name="Video").click()
            page.set_input_files("#video-target input[type=file]", str(demo.out / "people" / "bram.mp4"))
            page.wait_for_selector("#video-slider img")
        first.click("#video-start")
        first.wait_for_selector("text=/swapping|frames/")
        second.click("#video-start")
        second.wait_for_selector("text=/queue: 1\\/1/")
        for page in (first, second):
            page.wait_for_selector("#video-done >> text=frames in")
    finally:
        first.close()
        second.close()


def test_the_target_who_is_the_reference_is_told(page: "Page", target: Path) -> None:
    choose(page, "identity", "bram")
    swap_of(page, target, "bram/1")
    page.wait_for_selector("#picture-measures >> text=already looks like bram")
    choose(page, "identity", "emeric")


def test_the_camera_shows_its_rate_and_is_not_recorded(app: str, browser: "Browser") -> None:
    page = opened(browser, app)
    try:
        page.get_by_role("tab", name="Live").click()
        page.click("#live-camera >> text=Webcam")
        page.click("#live-camera >> text=Start")
        page.wait_for_selector("#live-result img")
        page.wait_for_selector("#live-note >> text=frames/s")
        assert "Record" not in page.locator("#live-camera").inner_text()
    finally:
        page.close()  # the camera would go on


def test_on_a_phone_nothing_is_wider_than_the_screen(app: str, browser: "Browser") -> None:
    page = opened(browser, app, width=390)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.close()


def test_a_full_disk_is_told_where_the_upload_fails(page: "Page", target: Path) -> None:
    said = "The disk of the app's machine is full"
    page.route("**/upload*", lambda route: route.fulfill(status=507, body=said))
    page.click("#picture-target button[aria-label*='lear'], #picture-target button[aria-label*='emove']")
    page.set_input_files("#picture-target input[type=file]", str(target))
    page.wait_for_selector(f"text={said}")
    page.unroute("**/upload*")


def test_an_alias_that_moves_serves_the_new_version_without_a_restart(
    page: "Page", app: str, target: Path
) -> None:
    client, old = Client(app, verbose=False), registry.resolve("emeric")
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
