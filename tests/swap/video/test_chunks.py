"""A video's parts of which some are damaged."""

import json
from pathlib import Path

import pytest

from faceswap.media.video.reading import probe
from faceswap.swap.video.stream import swap_video
from tests.swap.video.streams import FPS, FRAMES, MADE, stop_after, swapper


@pytest.mark.parametrize(
    ("file", "left"),
    [("00000.mp4", 0), ("00001.mp4", 4), ("00002.mp4", 8), ("state.json", 8), ("both states", 0)],
)
@pytest.mark.parametrize("how", ["cut", "flipped", "zeroed", "empty", "missing"])
def test_a_damaged_part_costs_what_comes_after_it(
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    file: str,
    left: int,
    how: str,
) -> None:
    monkeypatch.setattr("faceswap.swap.video.chunks.SECONDS", 4 / FPS)
    out = tmp_path / "o.mp4"
    swap_video(clip, out, swapper(), MADE, cancelled=stop_after(12))
    folder = tmp_path / ".o.mp4.parts"
    for name in ("state.json", "state.before.json") if file == "both states" else (file,):
        data = (folder / name).read_bytes()
        middle = len(data) // 2
        (folder / name).write_bytes(
            {
                "cut": data[: -len(data) // 3],
                "flipped": data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :],
                "zeroed": bytes(len(data)),
                "empty": b"",
                "missing": b"",
            }[how]
        )
        if how == "missing":
            (folder / name).unlink()
    report = swap_video(clip, out, swapper(), MADE)
    assert (report.frames, report.swapped, report.resumed) == (FRAMES, 20, left)
    assert probe(out).frames == FRAMES
    assert "is damaged" in caplog.text or (how == "missing" and "state" in file)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["o.mp4"]


def test_parts_of_before_there_were_digests_go_on(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"
    swap_video(clip, out, swapper(), MADE, cancelled=stop_after(12))
    state = tmp_path / ".o.mp4.parts" / "state.json"
    stored = json.loads(state.read_text())
    for part in stored["parts"]:
        del part["digest"]
    state.write_text(json.dumps(stored))
    assert swap_video(clip, out, swapper(), MADE).resumed == 12
