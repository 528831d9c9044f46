import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceswap.errors import FaceError, FaceSetError, IdentityError, NoFaceFound
from faceswap.faces.extraction.coverage import contact_sheet, histograms
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.faceset import FaceSet, find, find_headers
from faceswap.jobs.fictional.fictional_media import cast_consent, write_people
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoReader
from faceswap.provenance.consent.record import Consent
from faceswap.settings import settings
from faceswap.synthetic import CAST, Scene, render


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of one person, and pictures of two."""
    folder = tmp_path_factory.mktemp("cast")
    write_people(folder, ["corin"], "video", seconds=2.4, size=256)
    write_people(folder / "photos", ["corin", "bram"], "pictures", count=12, size=256)
    return folder


def faces_of(source: Path, name: str = "corin", **more: object) -> FaceSet:
    return extract([str(source)], name, consent=cast_consent(name), **more)  # type: ignore[arg-type]


def test_a_video_becomes_a_face_set(cast: Path) -> None:
    faces = faces_of(cast / "corin.mp4")
    counts = faces.report["counts"]
    assert counts["frames"] == 60
    dropped = (
        "other people",
        "too small",
        "turned too far",
        "blurred",
        "near-duplicates",
        "between the splits",
    )
    assert counts["faces"] == counts["kept"] + sum(counts[reason] for reason in dropped)
    assert faces.count() == counts["kept"] >= 40
    assert faces.consent is not None
    assert faces.consent.fictional
    times = faces.rows.sort_values("time")
    assert set(times["split"].iloc[-faces.count("heldout") :]) == {"heldout"}, "the last fifth in time"
    # the gap between the splits takes its faces after the fifth was cut off
    assert faces.count("heldout") == pytest.approx(0.2 * faces.count(), abs=2)
    marks = faces.landmarks()
    assert ((marks > 0) & (marks < 448)).mean() > 0.99
    assert faces.images("train").shape == (faces.count("train"), 448, 448, 3)
    assert contact_sheet(faces).shape[2] == 3
    assert histograms(faces).std() > 10


def test_the_same_input_gives_the_finished_set(cast: Path) -> None:
    first = faces_of(cast / "corin.mp4")
    started = time.monotonic()
    again = faces_of(cast / "corin.mp4")
    assert again.digest == first.digest
    assert time.monotonic() - started < 2
    assert faces_of(Path(first.uri)).digest == first.digest, "a face set is a source too"
    with pytest.raises(FaceError, match="'corin'"):
        faces_of(Path(first.uri), "dalia")


def test_a_changed_crop_is_noticed(cast: Path) -> None:
    faces = faces_of(cast / "corin.mp4")
    crop = faces.folder / "crops" / faces.rows["crop"].iloc[0]
    write_image(crop, 255 - read_image(crop))
    with pytest.raises(FaceSetError, match="changed"):
        FaceSet.load(faces.uri)
    with pytest.raises(FaceSetError, match="no face set"):
        FaceSet.load(str(faces.folder.parent / "missing"))


def test_strangers_are_dropped_by_photos_and_by_majority(cast: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name, count in (("corin", 10), ("bram", 5)):
        for file in sorted((cast / "photos" / name).iterdir())[:count]:
            shutil.copy(file, mixed / f"{name}-{file.name}")
    majority = faces_of(mixed)
    assert {name.split("-")[0] for name in majority.rows["source"]} == {"corin"}
    photos = [str(p) for p in sorted((cast / "photos" / "bram").iterdir())[5:7]]
    by_photo = faces_of(mixed, "bram", reference_photos=photos)
    assert {name.split("-")[0] for name in by_photo.rows["source"]} == {"bram"}
    assert by_photo.report["counts"]["other people"] >= 8


def test_reference_photos_are_checked(cast: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "empty.png", np.full((100, 100, 3), 90, np.uint8))
    with pytest.raises(NoFaceFound, match=r"empty\.png"):
        faces_of(cast / "corin.mp4", reference_photos=[str(tmp_path / "empty.png")])
    two = [str(next((cast / "photos" / name).iterdir())) for name in ("corin", "bram")]
    with pytest.raises(IdentityError, match="different people"):
        faces_of(cast / "corin.mp4", reference_photos=two)


def test_every_face_of_a_picture_is_looked_at(tmp_path: Path) -> None:
    """The tutorial's counter never rose, so that the second face of a picture overwrote the first."""
    wide = np.full((256, 600, 3), 128, np.uint8)
    wide[:, :256], wide[:, 300:556] = (render(CAST[i], Scene(), 256).image for i in (1, 2))
    write_image(tmp_path / "in" / "both.png", wide)
    write_image(tmp_path / "bram.png", render(CAST[1], Scene(zoom=0.95), 256).image)
    write_image(tmp_path / "corin.png", render(CAST[2], Scene(zoom=0.95), 256).image)
    for name in ("bram", "corin"):
        faces = faces_of(tmp_path / "in", name, reference_photos=[str(tmp_path / f"{name}.png")])
        assert faces.report["counts"]["faces"] == 2
        assert faces.count() == 1


def test_bad_files_among_good_are_skipped_and_counted(cast: Path, tmp_path: Path) -> None:
    """The tutorial had one `try` around all: the first bad picture ended the job."""
    folder = tmp_path / "media"
    shutil.copytree(cast / "photos" / "corin", folder)
    good = sorted(folder.iterdir())[0].read_bytes()
    (folder / "0000-cut.png").write_bytes(good[: len(good) // 2])
    (folder / "0000-text.jpg").write_text("no picture")
    (folder / "0000-video.mp4").write_text("no video")
    Image.new("1", (30_000, 30_000)).save(folder / "0000-huge.png")
    write_image(folder / "0000-nobody.png", np.full((200, 200, 3), 90, np.uint8))
    faces = faces_of(folder)
    counts = faces.report["counts"]
    assert (counts["files unreadable"], counts["files too large"], counts["frames without a face"]) == (
        3,
        1,
        1,
    )
    assert faces.count() >= 10
    assert sum("0000-" in line for line in faces.report["messages"]) == 4


def test_nothing_usable_is_said_with_the_counts(tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "a.png", np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceFound, match="frames without a face: 1"):
        faces_of(tmp_path / "in")


def test_a_truncated_video_gives_its_readable_part(cast: Path, tmp_path: Path) -> None:
    data = (cast / "corin.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(0.7 * len(data))])
    faces = faces_of(tmp_path / "cut.mp4")
    assert 10 < faces.count() < 60
    assert any("cut.mp4" in line for line in faces.report["messages"])


def test_every_and_time_range(cast: Path) -> None:
    options = ExtractionOptions(every=2, start=0.4, end=1.6, hash_distance=-1)
    assert faces_of(cast / "corin.mp4", options=options).report["counts"]["frames"] == 15


def test_photos_are_split_by_look_alikes(cast: Path, tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    shutil.copytree(cast / "photos" / "corin", folder)
    for file in sorted(folder.iterdir()):
        write_image(folder / f"copy-{file.stem}.jpg", read_image(file), quality=80)
    faces = faces_of(folder, options=ExtractionOptions(hash_distance=-1))
    sides: dict[str, set[str]] = {}
    for source, split in zip(faces.rows["source"], faces.rows["split"], strict=True):
        sides.setdefault(Path(source).stem.removeprefix("copy-"), set()).add(split)
    assert all(len(found) == 1 for found in sides.values())
    assert {"train", "heldout"} == set(faces.rows["split"])


def test_a_killed_extraction_goes_on(cast: Path, home: Path) -> None:
    code = f"""
        from tests.faces.extraction.test_extractor import faces_of, Path
        from faceswap.faces.extraction.extractor import ExtractionOptions
        if __name__ == "__main__":
            faces_of(Path({str(cast / "photos")!r}), options=ExtractionOptions(hash_distance=-1), workers=1)
    """
    script = home.parent / "job.py"
    script.write_text(textwrap.dedent(code))
    root = Path(__file__).parents[3]
    job = subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(root)}, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (done := list(home.glob("work/extract-*/*/rows.json"))) and job.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    stamps = {path: path.stat().st_mtime_ns for path in done}
    seen: list[int] = []
    options = ExtractionOptions(hash_distance=-1)
    faces = faces_of(cast / "photos", options=options, workers=1, progress=lambda d, t, m: seen.append(d))
    assert stamps, "no segment was finished before the kill"
    assert min(seen, default=99) > len(stamps), "finished segments are not done again"
    assert faces.count() > 5


def test_a_kill_while_it_tidies_up_harms_no_later_extraction(
    cast: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.rmtree

    def killed(path: Path, **how: bool) -> None:
        crops = list(Path(path).rglob("*.jpg"))
        if "extract-" not in str(path) or not crops:
            return real(path, **how)
        crops[0].unlink()
        raise KeyboardInterrupt

    options = ExtractionOptions(hash_distance=-1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("faceswap.faces.extraction.extractor.shutil.rmtree", killed)
        faces_of(cast / "photos", options=options, workers=1)
    real(home / "face-sets")  # deleted by hand: all is to be done again
    assert faces_of(cast / "photos", options=options, workers=1).count() > 5


def test_real_footage_has_a_face_in_every_frame(real_faces: Path) -> None:
    for name in "abc":
        source = real_faces / f"person-{name}.mp4"
        options = ExtractionOptions(every=4, hash_distance=-1)
        faces = extract(
            [str(source)], name, consent=Consent(subject=name, statement="test footage"), options=options
        )
        assert faces.report["counts"]["frames"] == 50
        assert faces.count() >= 49


def test_frames_of_two_real_people_are_told_apart(real_faces: Path, tmp_path: Path) -> None:
    for name in "ab":
        with VideoReader(real_faces / f"person-{name}.mp4") as reader:
            for frame in reader.frames(every=10):
                write_image(tmp_path / "mixed" / f"{name}{frame.index:03d}.jpg", frame.image)
    photos = [str(tmp_path / "mixed" / f"a{i:03d}.jpg") for i in (0, 70, 150)]
    options = ExtractionOptions(hash_distance=-1)
    faces = extract(
        [str(tmp_path / "mixed")],
        "a",
        consent=Consent(subject="a", statement="test footage"),
        options=options,
        reference_photos=photos,
    )
    kept = list(faces.rows["source"])
    assert sum(name.startswith("a") for name in kept) >= 20 * 0.98
    assert all(name.startswith("a") for name in kept)


def test_a_face_set_is_found_by_its_folder_and_by_the_name(cast: Path) -> None:
    first = faces_of(cast / "corin.mp4")
    assert find("corin").digest == first.digest
    assert find(first.uri).digest == first.digest
    for missing in ("nobody", str(cast / "nowhere")):
        with pytest.raises(FaceSetError, match="preprocess"):
            find(missing)


def damage_set(faces: FaceSet, kind: str) -> None:
    header = faces.folder / "faceset.json"
    if kind == "header cut":
        header.write_bytes(header.read_bytes()[:100])
    elif kind == "header empty":
        header.write_bytes(b"")
    elif kind == "header no text":
        header.write_bytes(bytes(range(128, 256)))
    elif kind == "header a list":
        header.write_text("[1]")
    elif kind == "geometry a number":
        header.write_text(json.dumps(json.loads(header.read_text()) | {"geometry": 3}))
    else:
        (faces.folder / "manifest.parquet").write_bytes(b"PAR1")


DAMAGES = ["header cut", "header empty", "header no text", "header a list", "geometry a number", "manifest"]


def test_a_damaged_set_is_passed_over_with_a_warning(
    cast: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = faces_of(cast / "corin.mp4", options=ExtractionOptions(every=10))
    newer = faces_of(cast / "corin.mp4", options=ExtractionOptions(every=9))
    assert find("corin").digest == newer.digest
    shutil.copytree(newer.folder, tmp_path / "kept")
    for kind in DAMAGES:
        damage_set(newer, kind)
        caplog.clear()
        assert find("corin").digest == whole.digest, kind
        assert newer.uri in caplog.text, kind
        shutil.copytree(tmp_path / "kept", newer.folder, dirs_exist_ok=True)
    damage_set(newer, "header cut")
    again = faces_of(cast / "corin.mp4", options=ExtractionOptions(every=9))
    assert (again.digest, again.uri) == (newer.digest, newer.uri), "it is made anew in the same place"
    assert find_headers(settings().face_sets_root, "corin")[0][0] == newer.uri
    damage_set(whole, "header cut")
    damage_set(again, "manifest")
    with pytest.raises(FaceSetError, match="neither a face set"):
        find("corin")
