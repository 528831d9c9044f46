"""Small videos for tests, made with PyAV itself."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def make_video(
    path: Path,
    frames: int = 50,
    size: tuple[int, int] = (64, 48),
    sound: bool = False,
    times: list[float] | None = None,
    faststart: bool = True,
) -> Path:
    """Frame i has the grey level 4 i; a 440 Hz tone on request; 25 frames a second unless ``times`` say otherwise."""
    with av.open(str(path), "w", options={"movflags": "faststart"} if faststart else {}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 90_000)
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.options = {"crf": "5", "g": "10"}
        tone = container.add_stream("aac", rate=16_000) if sound else None
        for index in range(frames):
            image = np.full((size[1], size[0], 3), min(255, 4 * index), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((times[index] if times else index / 25) * 90_000)
            frame.time_base = Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone is not None:
            wave = np.sin(2 * np.pi * 440 * np.arange(int(frames / 25 * 16_000)) / 16_000).astype(np.float32)
            for start in range(0, len(wave) - 1024, 1024):
                part = av.AudioFrame.from_ndarray(
                    wave[None, start : start + 1024], format="fltp", layout="mono"
                )
                part.sample_rate, part.pts, part.time_base = 16_000, start, Fraction(1, 16_000)
                container.mux(tone.encode(part))
            container.mux(tone.encode())
    return path


def audio_seconds(path: Path) -> float:
    """Length of the sound in a file, 0 without any."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))
