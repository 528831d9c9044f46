"""What a training says of the face sets that it is given."""

import json
import logging
import shutil
from pathlib import Path

import pytest

from faceswap.faces.faceset import HEADER
from faceswap.jobs.training import train_job
from faceswap.jobs.training.train_job import load_face_sets

OLD = Path(__file__).parents[1] / "fixtures" / "v1" / "face-set"


def test_face_sets_that_different_finders_made_warn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_job, "require_consent", lambda *_: None)  # the consent is of another name
    other = shutil.copytree(OLD, tmp_path / "other")
    header = json.loads((other / HEADER).read_text())
    header["identity"], header["options"]["detector"] = "somebody", "mediapipe"
    (other / HEADER).write_text(json.dumps(header))
    with caplog.at_level(logging.WARNING):
        (old,) = load_face_sets([str(OLD)]).values()
        assert old.detector == "hog"
        assert not caplog.records
        assert load_face_sets([str(OLD), str(other)])["somebody"].detector == "mediapipe"
    assert f"MediaPipe found the faces of somebody, dlib those of {old.identity}" in caplog.text
