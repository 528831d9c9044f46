"""Nothing writes, logs or shows a generated picture without its label, its mark, its origin and its signature."""

import ast
import base64
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faceswap import tracking
from faceswap.jobs.verify_job import verify_file
from faceswap.media.images import data_uri, encoded, read_image, write_image
from faceswap.provenance import watermark
from faceswap.provenance.label import covered
from faceswap.provenance.metadata import RENDERER, Provenance
from faceswap.provenance.verify import Finding
from tests.swap.fakes import smooth_noise

ROOT = Path(__file__).parents[2]
ORIGIN = Provenance("ada", "face-ada", "7", "run-1")
PICTURE = smooth_noise(256, 384)

WRITERS = {"write_image", "write_picture", "encoded", "VideoWriter", "join_videos"}
"""Functions of ours that write pictures: whoever calls one says by ``metadata`` what is generated in it, or None."""
RAW = {
    "log_image": {"faceswap/tracking/runs.py"},
    "create_image_artifact": {"flows/prefect_monitor.py"},
    # of memory into memory: what JPEG does to a training picture, and plots of numbers
    "imencode": {"faceswap/model/priors/mask_lessons.py"},
    "savefig": {
        "faceswap/evaluation/rendering/sheets.py",
        "faceswap/faces/extraction/coverage.py",
        "faceswap/tuning/plots.py",
    },
    "imwrite": set(),
    "imsave": set(),
    "tobytesio": set(),
}
"""Functions of libraries that write pictures, and the files that may call them."""
PILLOW = {"faceswap/media/images.py", "faceswap/tracking/signed_pictures.py"}
"""Files that import Pillow and may call ``save``."""


def calls() -> Iterator[tuple[str, int, str, ast.Call, bool]]:
    """File, line, function's name, the call, and whether the file imports Pillow."""
    for room in ("faceswap", "flows", "serving", "infra"):
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    yield path.relative_to(ROOT).as_posix(), node.lineno, name, node, "PIL" in modules


def test_whoever_writes_a_picture_says_what_is_generated_in_it() -> None:
    silent, raw = [], []
    for file, line, name, call, pillow in calls():
        given = {keyword.arg for keyword in call.keywords}
        if name in WRITERS and not given & {"metadata", None}:
            silent.append(f"{file}:{line} calls {name} without metadata=")
        if (name in RAW and file not in RAW[name]) or (name == "save" and pillow and file not in PILLOW):
            raw.append(f"{file}:{line} calls {name}: use write_image, encoded or data_uri")
    assert not silent
    assert not raw


def check(path: Path) -> None:
    """A picture is signed, marked and labelled, and names its origin."""
    found = verify_file(path)
    assert found.finding is Finding.SIGNED, path
    assert found.strength > watermark.THRESHOLD or path.suffix == ".webp", (
        "a thumbnail is too small for the mark"
    )
    assert found.record is not None
    assert (found.record["reference"], found.record["generated"]) == ("ada", True)
    image = read_image(path).astype(int)
    plate = image[covered(image.shape[1], image.shape[0])]
    assert np.ptp(plate) > 140, "white letters on a dark plate"


def test_pictures_in_files_in_memory_and_on_pages_are_declared_once(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", PICTURE, metadata=ORIGIN)
    (tmp_path / "b.jpg").write_bytes(base64.b64decode(data_uri(PICTURE, ORIGIN).partition(",")[2]))
    for name in ("a.png", "b.jpg"):
        check(tmp_path / name)
    # a swapper's frame has label and mark already: putting them on it once more would show
    (tmp_path / "c.png").write_bytes(encoded(PICTURE, ".png", metadata=ORIGIN))
    np.testing.assert_array_equal(read_image(tmp_path / "c.png"), PICTURE)
    assert verify_file(tmp_path / "c.png").finding is Finding.SIGNED


def test_what_holds_no_generated_face_stays_as_it_is(tmp_path: Path) -> None:
    rendered = Provenance("ada", RENDERER, "", "")
    for name, origin in (("real.png", None), ("rendered.png", rendered)):
        write_image(tmp_path / name, PICTURE, metadata=origin)
        np.testing.assert_array_equal(read_image(tmp_path / name), PICTURE)
    assert verify_file(tmp_path / "real.png").finding is Finding.NOTHING
    assert verify_file(tmp_path / "rendered.png").finding is Finding.SIGNED


@pytest.mark.usefixtures("database")
def test_pictures_in_mlflow_and_their_thumbnails_are_declared(home: Path) -> None:
    with tracking.run("training", "train") as run:
        run.picture(PICTURE, "cases/ada-on-ben.png", ORIGIN)
        run.image(PICTURE, "preview", 5, ORIGIN)
    stored = [path for path in (home / "artifacts").rglob("*") if path.suffix in {".png", ".webp"}]
    assert len(stored) == 3, "the picture, the preview, its thumbnail"
    for path in stored:
        check(path)


@pytest.mark.usefixtures("home")
def test_pictures_in_prefect_are_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import prefect_monitor

    told: list[str] = []
    monkeypatch.setattr(prefect_monitor, "create_image_artifact", lambda data, **_: told.append(data))
    with prefect_monitor.shown_in_prefect() as one:
        one.picture("preview", PICTURE, "step 5", ORIGIN)
    (found,) = (re.fullmatch(r"data:image/jpeg;base64,(.+)", data) for data in told)
    assert found is not None
    (tmp_path / "a.jpg").write_bytes(base64.b64decode(found[1]))
    check(tmp_path / "a.jpg")
