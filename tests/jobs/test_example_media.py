from pathlib import Path

import pytest

from faceswap.jobs.fictional import example_media as examples
from faceswap.jobs.fictional.example_media import example_clip, example_pictures, write_examples
from faceswap.media.images import read_image
from faceswap.media.video.reading import probe
from faceswap.provenance.metadata import read_provenance


def test_examples_are_rendered_once_and_say_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "_CLIP", ("corin", 0.12))
    made = list(write_examples(tmp_path, size=128))
    assert made == [*example_pictures(tmp_path), example_clip(tmp_path)]
    assert [read_image(path).shape for path in made[:2]] == [(128, 128, 3)] * 2
    assert read_image(tmp_path / "together.jpg").shape == (128, 384, 3)
    assert probe(made[-1]).frames == 3
    assert all(read_provenance(path).model == "faceswap.synthetic" for path in made)  # type: ignore[union-attr]
    before = [path.stat().st_mtime_ns for path in made]
    assert [path.stat().st_mtime_ns for path in write_examples(tmp_path, size=128)] == before
