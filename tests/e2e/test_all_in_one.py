"""The demo's outcome. First in its folder: later tests add versions to the same registry."""

import base64
import io
import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from faceswap import registry, tracking
from faceswap.errors import RegistryError
from faceswap.faces.faceset import find_headers
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.inference.code_range import CodeRange
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoReader, probe
from faceswap.provenance.metadata import read_provenance
from faceswap.settings import settings
from faceswap.swap.swapper import Swapper
from faceswap.tracking.experiments import name_of
from tests.e2e.conftest import Done, faceswap

KEYS = {
    *("reference", "target", "identity_distance", "identity_top1", "lip_gap_correlation", "eye_correlation"),
    *("pose_error_degrees", "sharpness", "reconstruction_mae", "reconstruction_ssim"),
}


def first_frame(path: Path) -> np.ndarray:
    with VideoReader(path) as reader:
        return next(reader.frames()).image


def test_the_demo_leaves_its_report_and_pictures(demo: Done) -> None:
    report = json.loads((demo.out / "report.json").read_text())
    people = {pair["reference"] for pair in report["pairs"]}
    assert len(report["pairs"]) == 2
    assert all(set(pair) >= KEYS for pair in report["pairs"])
    assert {"wall_seconds", "steps", "images_per_second"} <= set(report["training"])
    assert set(report["versions"]) == people
    assert (demo.out / "report.html").stat().st_size > 10_000
    assert read_image(demo.out / "before_after.png").std() > 10
    assert "Measured on held-out frames" in demo.printed
    assert "Next:" in demo.printed


def test_every_output_says_that_it_is_generated(demo: Done) -> None:
    for name in ("swap.mp4", "before_after.png"):
        origin = read_provenance(demo.out / name)
        assert origin is not None
        assert origin.generated
        assert origin.run_id


def test_the_held_out_clip_is_swapped_in_size_and_rate(demo: Done) -> None:
    target = probe(next((demo.out / "people").glob("*.mp4")))
    swapped = probe(demo.out / "swap.mp4")
    assert (swapped.width, swapped.height, swapped.fps) == (target.width, target.height, target.fps)
    # a fifth of the faces that were kept: where near-duplicates fell away, that is more of the time
    assert swapped.frames == pytest.approx(0.2 * 100, abs=8)


def test_versions_are_registered_promoted_and_complete(demo: Done) -> None:
    rows = registry.versions()
    assert len(rows) == 2
    for row in rows:
        assert row.aliases == ("production",)
        assert {"run_id", "face_sets", "encoder_digest", "consent", "identity_distance"} <= set(row.tags)
    assert len({row.tags["encoder_digest"] for row in rows}) == 1
    encoders = list((demo.home / "artifacts").rglob("encoder.keras"))
    assert len(encoders) == 1, "the common encoder is stored once"
    assert not [p for p in (demo.home / "artifacts").rglob("*") if p.suffix in {".pkl", ".pickle"}]
    table = json.loads(faceswap(demo.home, "models", "--json"))
    assert {row["version"] for row in table} == {str(row.version) for row in rows}


def test_pyfunc_and_registry_give_the_same_pixels(demo: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    name = registry.versions()[0].version.identity
    target = next(p for p in (demo.out / "people").glob("*.mp4") if p.stem != name)
    frame = first_frame(target)
    swapper = Swapper(registry.load(name).network, FaceFinder())
    ours = swapper.marked(swapper.swap(frame))
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    loaded = mlflow.pyfunc.load_model(f"models:/face-{name}@production")
    answer = loaded.predict([{"image": base64.b64encode(buffer.getvalue()).decode()}])
    theirs = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer[0]))))
    np.testing.assert_array_equal(ours, theirs)
    assert abs(ours.astype(int) - frame).max() > 30


def test_a_version_knows_where_its_codes_lie(demo: Done) -> None:
    for row in registry.versions():
        card = registry.load(row.version).card
        codes = CodeRange.unpack(card.codes)
        assert codes.mean.shape == (card.preset.bottleneck,)
        assert codes.within > 0.5
        assert codes.beyond > 0


def test_a_version_is_downloaded_once(demo: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    name = registry.versions()[0].version.identity
    registry.load(name)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("downloaded again")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", never)
    registry.load(name)


@pytest.mark.parametrize("spec", ["nobody", "nobody@production", "nobody/1", "a b/c/d"])
def test_what_does_not_exist_is_said(spec: str) -> None:
    with pytest.raises(RegistryError, match=r"nobody|names no version"):
        registry.resolve(spec)


def test_an_unknown_version_lists_the_known(demo: Done) -> None:
    name = registry.versions()[0].version.identity
    for spec in (f"{name}/99", f"{name}@champion"):
        with pytest.raises(RegistryError, match=r"versions \[1\]"):
            registry.resolve(spec)


def test_the_training_run_holds_the_contract(demo: Done) -> None:
    client = tracking.connect()
    experiment = client.get_experiment_by_name(name_of("train"))
    run = client.search_runs([experiment.experiment_id], "tags.`faceswap.kind` = 'train'")[0]
    assert run.info.status == "FINISHED"
    assert {"preset.bottleneck", "train.seed", "preset.loss.features"} <= set(run.data.params)
    assert {"git.revision", "device", "keras"} <= set(run.data.tags)
    assert {"loss", "heldout_mae", "images_per_second", "swap_identity_distance"} <= set(run.data.metrics)
    assert any(key.startswith("loss_") for key in run.data.metrics)
    assert len(run.inputs.dataset_inputs) == 2
    names = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "images")}
    assert any("preview" in name for name in names)


def test_single_steps_swap_a_folder_and_inspect(demo: Done, tmp_path: Path) -> None:
    """No face is no error, several faces all survive, bad files are skipped; the tutorial failed at each."""
    name = registry.versions()[0].version.identity
    target = next(p for p in (demo.out / "people").glob("*.mp4") if p.stem != name)
    frame = first_frame(target)
    folder = tmp_path / "in"
    write_image(folder / "two.png", np.hstack([frame, frame]))
    write_image(folder / "nobody.png", np.full((200, 200, 3), 90, np.uint8))
    (folder / "text.jpg").write_text("no picture")
    printed = faceswap(demo.home, "swap", str(folder), "--reference", name, "--out", str(tmp_path / "out"))
    assert "no face found" in printed
    assert "text.jpg" in printed
    swapped = read_image(tmp_path / "out" / "two.png").astype(int)
    left, right = np.hsplit(abs(swapped - np.hstack([frame, frame])).max(-1) > 20, 2)
    assert left.sum() > 1000
    assert right.sum() > 1000
    said = faceswap(demo.home, "inspect", str(tmp_path / "out" / "two.png"))
    assert f"face of '{name}'" in said
    assert '"version": "1"' in said


def test_a_job_that_can_not_be_done_fails_with_words(demo: Done, tmp_path: Path) -> None:
    name = registry.versions()[0].version.identity
    write_image(tmp_path / "nobody.png", np.full((200, 200, 3), 90, np.uint8))
    out = str(tmp_path / "out.png")
    printed = faceswap(
        demo.home, "swap", str(tmp_path / "nobody.png"), "--reference", name, "--out", out, fails=True
    )
    assert "no face found" in printed
    assert not Path(out).exists()


def test_face_sets_are_found_with_their_consent(demo: Done) -> None:
    for row in registry.versions():
        found = find_headers(settings().face_sets_root, row.version.identity)
        assert len(found) == 1
        assert found[0][1]["consent"]["fictional"] is True
