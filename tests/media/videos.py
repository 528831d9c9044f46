"""Small videos for tests, made with PyAV itself and by patching bytes as the file formats' standards say."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def make_video(
    path: Path,
    frames: int = 50,
    size: tuple[int, int] = (64, 48),
    sound: bool = False,
    times: list[float] | None = None,
    faststart: bool = True,
    picture: NDArray[np.uint8] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Frame i has the grey level 4 i mod 256, or is ``picture``; 25 frames a second unless ``times`` say otherwise."""
    ticks = 25 if path.suffix == ".avi" else 90_000
    flags = {"movflags": "faststart"} if faststart and path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=flags) as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, ticks)
        stream.options = {"crf": "5", "g": "10"} | (options or {})
        track = add_sound(container) if sound else None
        for index in range(frames):
            image = np.full((size[1], size[0], 3), 4 * index % 256, np.uint8) if picture is None else picture
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((times[index] if times else index / 25) * ticks)
            frame.time_base = Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if track is not None:
            write_sound(container, track, beeps(frames / 25))
    return path


def add_sound(container: Any, codec: str = "aac", rate: int = 16_000) -> Any:
    """A mono track."""
    return container.add_stream(codec, rate=rate, layout="mono")


def write_sound(container: Any, track: Any, wave: NDArray[np.float32]) -> None:
    """Encode a (n,) wave in -1..1 and finish the track."""
    rate = track.rate
    for start in range(0, len(wave), 1000):
        part = av.AudioFrame.from_ndarray(wave[None, start : start + 1000], format="fltp", layout="mono")
        part.sample_rate, part.pts, part.time_base = rate, start, Fraction(1, rate)
        container.mux(track.encode(part))
    container.mux(track.encode())


def beeps(seconds: float, rate: int = 16_000) -> NDArray[np.float32]:
    """A 440 Hz tone, loud in the second half of each half second: its edges show where the sound lies in time."""
    time = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * 440 * time) * np.where(time % 0.5 >= 0.25, 0.8, 0.02)).astype(np.float32)


def edges(path: Path) -> list[float]:
    """The times in seconds after the first picture at which the sound of a file becomes loud."""
    with av.open(str(path)) as container:
        picture = container.streams.video[0]
        origin = float((picture.start_time or 0) * (picture.time_base or 0))
        parts = [(f.time or 0.0, f.to_ndarray().mean(0), f.sample_rate) for f in container.decode(audio=0)]
    rate = parts[0][2]
    first = parts[0][0]
    wave = np.zeros(round((parts[-1][0] - first) * rate) + len(parts[-1][1]))
    for time, samples, _ in parts:
        at = round((time - first) * rate)
        wave[at : at + len(samples)] = samples
    scale = 1.0 if np.abs(wave).max() <= 2 else 32768.0  # some decoders give whole numbers
    window = rate // 200
    loud = np.convolve(np.abs(wave) / scale, np.ones(window) / window, "same") > 0.25
    return [first + float(i) / rate - origin for i in np.flatnonzero(loud[1:] & ~loud[:-1])]


def audio_seconds(path: Path) -> float:
    """Length of the sound in a file, 0 without any."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))


def codec_of_sound(path: Path) -> str:
    with av.open(str(path)) as container:
        return str(container.streams.audio[0].codec_context.codec.canonical_name)


def unknown_sound(path: Path, tracks: int = 1) -> Path:
    """Rename the format of the first sound tracks (ISO 14496-12, stsd), and what describes it, to unknown ones."""
    data = path.read_bytes()
    assert min(data.count(b"mp4a"), data.count(b"esds")) >= tracks
    path.write_bytes(data.replace(b"mp4a", b"zzzz", tracks).replace(b"esds", b"zsds", tracks))
    return path


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Patch a, b, c, d of the first track's display matrix (ISO 14496-12, tkhd: x' = a x + c y, y' = b x + d y)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: flags, times, id, duration, layer, volume …
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
