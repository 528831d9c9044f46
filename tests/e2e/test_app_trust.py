"""The app in a browser: what a dropped file tells of its origin, and a person who withdraws."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from faceswap import jobs, registry
from faceswap.jobs import ConsentParameters
from faceswap.media.images import read_image, write_image
from faceswap.provenance.metadata import Provenance
from tests.e2e.apps import choose, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page(app: str, browser: "Browser") -> "Iterator[Page]":
    page = opened(browser, app)
    yield page
    page.close()


def dropped(page: "Page", file: Path, finding: str) -> str:
    """Give a file to the tab Verify; what it says, which has to begin with the finding."""
    if page.locator("#verify-file input[type=file]").count() == 0:
        page.click("#verify-file button[aria-label*='lear'], #verify-file button[aria-label*='emove']")
        page.wait_for_selector("#verify-answer .empty")
    page.set_input_files("#verify-file input[type=file]", str(file))
    page.wait_for_selector(f"#verify-answer b:text-is('{finding}')")
    return page.inner_text("#verify-answer")


def test_a_dropped_file_tells_what_is_left_of_its_signs(page: "Page", target: Path, tmp_path: Path) -> None:
    signed, altered, stripped = (tmp_path / name for name in ("signed.jpg", "altered.jpg", "stripped.png"))
    write_image(signed, read_image(target), metadata=Provenance("emeric", "face-emeric", "1", "run-1"))
    data = bytearray(signed.read_bytes())
    data[-500] ^= 1
    altered.write_bytes(bytes(data))
    Image.fromarray(read_image(signed)).save(stripped)

    page.get_by_role("tab", name="Verify").click()
    said = dropped(page, signed, "Signed and untouched")
    assert "whose certificate is known here" in said
    assert "face-emeric version 1" in said
    assert "Changed: the picture's bytes" in dropped(page, altered, "Signed and altered")
    assert "The mark is in the pixels" in dropped(page, stripped, "Marked in the pixels")
    assert "does not say where the picture comes from" in dropped(page, target, "Nothing found")


def test_who_withdraws_is_gone_from_the_page_and_the_api_within_ten_seconds(
    page: "Page", app: str, target: Path
) -> None:
    version = registry.resolve("bram")
    client = Client(app, verbose=False)
    offered = "document.querySelector('#identity input').value"
    if page.evaluate(offered) != "bram":
        choose(page, "identity", "bram")
    jobs.withdraw_consent(ConsentParameters(name="bram", statement="he asked"))
    try:
        page.wait_for_function(f"{offered} === 'emeric'", timeout=10_000)
        page.wait_for_selector("text=1 identity")
        with pytest.raises(AppError, match="bram"):
            client.predict(handle_file(target), "bram", "1", api_name="/swap")
        assert {row["identity"] for row in client.predict(api_name="/versions")["versions"]} == {"emeric"}
    finally:
        jobs.record_consent(ConsentParameters(name="bram", statement="a fictional person", fictional=True))
        registry.set_alias(version, "production")
    page.wait_for_selector("text=2 identities")
