"""What accompanies a video's pictures into another: sound and subtitles, chapters, fonts, titles and other tags."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from faceswap.media.video.containers import first_moment, open_media, pictures, sound_tracks
from faceswap.media.video.sound import Track, describe, is_copied
from faceswap.provenance.metadata import Provenance, container_tags

if TYPE_CHECKING:
    from av.container.core import Chapter

_OF_THE_FILE = frozenset(
    {
        *(
            "major_brand",
            "minor_version",
            "compatible_brands",
            "encoder",
            "encoded_by",
            "handler_name",
            "vendor_id",
        ),
        *("duration", "hasaudio", "hasvideo", "hasmetadata", "canseektoend", "metadatacreator", "isvbr"),
        *("filesize", "videosize", "audiosize", "datasize", "lasttimestamp", "lastkeyframetimestamp"),
        *("deviceconformancetemplate", "software", "software_version", "service_name", "service_provider"),
    }
)
"""Tags that describe the file in which they are, not what it shows."""
_TEXT = ("title", "description", "comment")
"""Tags in which the origin is told; what stood there before is put beside it."""


class Companions:
    """All of a source but its pictures, for a video that is being written.

    Attributes:
        left_out: what can't be kept or is kept in another form, in sentences.
    """

    def __init__(
        self,
        path: Path,
        output: OutputContainer,
        suffix: str,
        start: float,
        end: float | None,
        metadata: Provenance | None,
    ) -> None:
        self.left_out: list[str] = []
        self._path = path
        self._no_sound: str | None = None
        self._said = False
        self._tracks: list[Track] = []
        try:
            with open_media(path) as source:
                self._tags = self._tell(source, output, metadata)
                self._chapters = _chapters(source, start, end)
                output.set_chapters(self._chapters)
                pictured = pictures(source)
                if pictured is not None and output.streams.video:
                    describe(pictured, output.streams.video[0], suffix)
                for index in self._taken(source, output, suffix):
                    self._tracks.append(Track(path, index, output, suffix, start))
                self._add_fonts(source, output, suffix)
        except BaseException:
            self.close()
            raise
        names = sorted({track.encoded for track in self._tracks if track.encoded})
        if names:
            self.left_out.append(
                f"the sound of {path} ({', '.join(names)}) is encoded as AAC, {suffix} can't hold it"
            )

    @classmethod
    def of(
        cls,
        path: Path,
        output: OutputContainer,
        suffix: str,
        *,
        start: float = 0.0,
        end: float | None = None,
        metadata: Provenance | None = None,
    ) -> Self:
        """Tracks, chapters and tags in the output for those of a file.

        Args:
            path: video or sound file.
            output: container that is being written, with its pictures' track; nothing has been muxed yet.
            suffix: of the written file, lower case.
            start: seconds from the first video frame of ``path`` where the written video begins.
            end: seconds of the written video where it ends; None: where the file does.
            metadata: what the output says of its origin; its words come before the file's own.

        Raises:
            UnreadableMedia: the file can't be opened.
            MediaError: the record of the origin is too long.
        """
        return cls(path, output, suffix, start, end, metadata)

    @property
    def damage(self) -> str | None:
        """What was wrong with the tracks so far."""
        return "; ".join(filter(None, [self._no_sound, *(track.damage for track in self._tracks)])) or None

    def until(self, end: float) -> Iterator[Packet[Any]]:
        """The next packets of all tracks that begin before ``end``, in seconds of the written video."""
        for track in self._tracks:
            yield from track.until(end)

    def missing(self, written: Path) -> list[str]:
        """What the finished file does not hold of what it was given, in sentences."""
        with open_media(written) as found:
            kept = {key.lower() for key in found.metadata}
            lost = sorted(key for key in self._tags if key.lower() not in kept)
            lost += ["comment"] if self._said and "description" not in kept else []
            chapters = len(self._chapters) - len(found.chapters())
        sentences = (
            [f"tags of {self._path} that {written.suffix} can't hold: {', '.join(lost)}"] if lost else []
        )
        if chapters > 0:
            sentences.append(f"{chapters} chapters of {self._path} are left out")
        return sentences

    def close(self) -> None:
        """Close the sources."""
        for track in self._tracks:
            track.close()

    def _taken(self, source: InputContainer, output: OutputContainer, suffix: str) -> list[int]:
        """The indices of the tracks that are kept; the others are noted."""
        sounds = sound_tracks(source)
        unknown = len(source.streams.audio) - len(sounds)
        text = f"the sound of {self._path} is in a format that is not known, it is left out"
        if unknown and not sounds:
            self._no_sound = text
        elif unknown:
            self._note(unknown, "sound track", "in a format that is not known")
        subtitles = [
            track
            for track in source.streams.subtitles
            if track.codec_context is not None and is_copied(track, output, suffix)
        ]
        self._note(
            len(source.streams.subtitles) - len(subtitles), "subtitle track", f"which {suffix} can't hold"
        )
        shown = pictures(source)
        others = [
            track
            for track in source.streams
            if isinstance(track, VideoStream) and shown is not None and track.index != shown.index
        ]
        self._note(len(others), "further picture track or cover", "")
        # chapters of QuickTime are a track, too, which nobody is to read
        data = [track for track in source.streams.data if track.discard != Discard.all]
        self._note(len(data), "data track", "such as time codes and positions")
        return [track.index for track in (*sounds, *subtitles)]

    def _note(self, count: int, what: str, why: str) -> None:
        if count > 0:
            reason = f" ({why})" if why else ""
            self.left_out.append(
                f"of {self._path} is left out: {count} {what}{'s' if count > 1 else ''}{reason}"
            )

    def _tell(
        self, source: InputContainer, output: OutputContainer, metadata: Provenance | None
    ) -> dict[str, str]:
        """Give the output the tags of the source and of its origin; returns the source's."""
        own = {key.lower(): value for key, value in source.metadata.items()}
        kept = {
            key: value
            for key, value in source.metadata.items()
            if key.lower() not in _OF_THE_FILE and not key.lower().startswith("wmfsdk")
        }
        output.metadata.update(kept)
        if metadata is None:
            return kept
        origin = container_tags(metadata)
        key, mark = "comment", origin["comment"].split(":")[0]
        said = [
            own[name] for name in ("description", key) if own.get(name) and not own[name].startswith(mark)
        ]
        for name in [name for name in output.metadata if name.lower() in _TEXT]:
            del output.metadata[name]
        output.metadata.update(origin)
        if own.get("title") and own["title"] != origin["title"]:
            output.metadata["title"] = f"{own['title']} ({origin['title']})"
        self._said = bool(said)
        output.metadata["description"] = "\n".join([origin["description"], *said])
        return kept

    def _add_fonts(self, source: InputContainer, output: OutputContainer, suffix: str) -> None:
        attached = source.streams.attachments
        if suffix == ".mkv":
            for one in attached:
                output.add_attachment(
                    one.name or "attachment", one.mimetype or "application/octet-stream", one.data
                )
        else:
            self._note(len(attached), "attached file", "such as a font")


def _chapters(source: InputContainer, start: float, end: float | None) -> list[Chapter]:
    """The chapters between start and end, in times of the written video."""
    zero = Fraction(start) + first_moment(source)
    last = Fraction(end) if end is not None and isfinite(end) else None
    found: list[Chapter] = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1)
        begins, ends = (max(Fraction(0), time * base - zero) for time in (chapter["start"], chapter["end"]))
        if last is not None:
            begins, ends = min(begins, last), min(ends, last)
        if ends > begins:
            chapter["start"], chapter["end"] = round(begins / base), round(ends / base)
            found.append(chapter)
    return found
