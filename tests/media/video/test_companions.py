from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from faceswap.media.video.joining import Joined, Part, join_videos
from faceswap.media.video.reading import VideoReader, VideoWriter
from faceswap.provenance.metadata import Provenance, read_provenance
from tests.media.videos import add_sound, beeps, make_video, write_sound

ORIGIN = Provenance("ada", "face-ada", "3", "run")


def film(path: Path, suffix: str = ".mkv", sound: str = "aac", text: str | None = None) -> Path:
    """Two seconds: a commentary, the film's own sound, which is the default, chapters, tags, perhaps subtitles."""
    path = path.with_suffix(suffix)
    with av.open(str(path), "w") as container:
        container.metadata.update({"title": "Interview", "artist": "Crew", "comment": "Note"})
        container.metadata["creation_time"] = "2024-05-06T07:08:09.000000Z"
        base = Fraction(1, 1000)
        container.set_chapters(
            [
                {"id": 1, "start": 0, "end": 800, "time_base": base, "metadata": {"title": "One"}},
                {"id": 2, "start": 800, "end": 2000, "time_base": base, "metadata": {"title": "Two"}},
            ]
        )
        picture: Any = container.add_stream("libx264", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        tracks = []
        for title, language, role in (
            ("Commentary", "eng", Disposition.comment),
            ("Film", "deu", Disposition.default),
        ):
            track = add_sound(container, sound, 48_000)
            track.metadata.update({"title": title, "language": language, "handler_name": title})
            track.disposition = role
            tracks.append(track)
        words: Any = container.add_mux_stream(text, rate=1000) if text else None
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 4 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        for track, level in zip(tracks, (0.2, 1.0), strict=True):
            write_sound(container, track, level * beeps(2.0, 48_000))
        if words is not None:
            packet = av.Packet(b"Hello")
            packet.pts = packet.dts = 500
            packet.duration, packet.time_base, packet.stream = 400, Fraction(1, 1000), words
            container.mux(packet)
    return path


def joined(source: Path, out: Path, **more: Any) -> Joined:
    with (
        VideoReader(source) as reader,
        VideoWriter(out.with_name("part.mp4"), width=32, height=32, fps=25) as writer,
    ):
        for frame in reader.frames(start=more.get("audio_start")):
            writer.write(frame.image)
    return join_videos(
        [Part(out.with_name("part.mp4"), 0.0)], out, audio_from=source, metadata=ORIGIN, **more
    )


def chapters(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"]["title"])  # type: ignore[operator]
            for c in container.chapters()
        ]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_all_tracks_chapters_and_tags_are_kept(tmp_path: Path, suffix: str) -> None:
    source, out = film(tmp_path / "film"), tmp_path / f"o{suffix}"
    note = f"tags of {source} that .mov can't hold: comment"
    assert joined(source, out) == Joined(left_out=(note,) if suffix == ".mov" else ())
    with av.open(str(source)) as a, av.open(str(out)) as b:
        tags = {key.lower(): value for key, value in b.metadata.items()}
        for old, new in zip(a.streams.audio, b.streams.audio, strict=True):
            assert new.language == ("ger" if suffix == ".mov" and old.language == "deu" else old.language)
            name = "title" if suffix == ".mkv" else "handler_name"
            assert new.metadata[name] == old.metadata["title"]
            assert (Disposition.default in new.disposition) == (Disposition.default in old.disposition)
    for index in (0, 1):
        packets = []
        for path in (source, out):
            with av.open(str(path)) as container:
                packets.append([bytes(p) for p in container.demux(audio=index) if p.size])
        assert packets[0] == packets[1]
    assert chapters(out) == [(0.0, pytest.approx(0.8, abs=0.01), "One"), (0.8, pytest.approx(2.0), "Two")]
    assert (tags["title"], tags["artist"]) == ("Interview (AI-generated)", "Crew")
    assert suffix == ".mov" or tags["description"].endswith("\nNote")
    assert tags["creation_time"].startswith("2024-05-06T07:08:09")
    assert read_provenance(out) == ORIGIN


def test_of_a_part_chapters_are_cut_and_moved(tmp_path: Path) -> None:
    source, out = film(tmp_path / "film"), tmp_path / "o.mkv"
    joined(source, out, audio_start=0.4, end=1.0)
    assert chapters(out) == [
        (0.0, pytest.approx(0.4), "One"),
        (pytest.approx(0.4), pytest.approx(1.0), "Two"),
    ]
    with av.open(str(out)) as container:
        for track in container.streams.audio:
            last = max(p.pts * p.time_base for p in container.demux(track) if p.pts is not None)
            assert 0.9 < last < 1.0
            container.seek(0)


def test_sound_and_subtitles_that_the_container_can_not_hold(tmp_path: Path) -> None:
    source = film(tmp_path / "film", sound="flac", text="subrip")
    assert joined(source, tmp_path / "o.mkv") == Joined()
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert [bytes(p) for p in container.demux(subtitles=0) if p.size] == [b"Hello"]
    assert joined(source, tmp_path / "o.mp4").left_out == (
        f"of {source} is left out: 1 subtitle track (which .mp4 can't hold)",
        f"the sound of {source} (flac) is encoded as AAC, .mp4 can't hold it",
    )
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert [track.codec_context.name for track in container.streams.audio] == ["aac", "aac"]


def test_tags_that_the_container_can_not_hold_are_named(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", 5, size=(32, 32))
    with av.open(str(source)) as old, av.open(str(tmp_path / "tagged.mkv"), "w") as new:
        new.metadata["CAMERA_SERIAL"] = "17"
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    tagged = tmp_path / "tagged.mkv"
    assert joined(tagged, tmp_path / "o.mp4").left_out == (
        f"tags of {tagged} that .mp4 can't hold: CAMERA_SERIAL",
    )
    assert joined(tagged, tmp_path / "o.mkv").left_out == ()
