"""The clip that the tests of videos and batches swap."""

from pathlib import Path

import av
import numpy as np
import pytest

from faceswap.media.video.reading import VideoWriter
from tests.swap.video.streams import (
    FPS,
    HEIGHT,
    WIDTH,
    frames,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a bit with a tone; every third frame has no face."""
    folder = tmp_path_factory.mktemp("clip")
    sound = folder / "tone.mkv"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for start in range(0, 32000, 1024):
            wave = np.sin(np.arange(start, start + 1024) * 0.1).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path = folder / "clip.mp4"
    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=FPS, audio_from=sound) as writer:
        for image in frames():
            writer.write(image)
    return path
