"""A batch swap whose pieces others do: what they give back becomes the results here, where all is signed."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from faceswap.errors import ConsentError, StorageError
from faceswap.media.images import write_encoded
from faceswap.media.sources import MediaItem
from faceswap.media.video.reading import probe
from faceswap.provenance import content_credentials
from faceswap.swap.batch.batch import Batch
from faceswap.swap.batch.picture_swap import refuse_the_target
from faceswap.swap.batch.pieces import (
    PICTURES,
    STOPS_ALL,
    EncodedPicture,
    Failed,
    Pictures,
    Piece,
    Result,
    Target,
    VideoSpan,
)
from faceswap.swap.batch.reports import ItemReport, of_picture, of_video
from faceswap.swap.video.assembly import Assembly
from faceswap.swap.video.spans import SpannedVideo
from faceswap.swap.video.stream import Progress

Crew = Callable[[Iterable[Piece]], Generator[tuple[Piece, Result], None, None]]
"""Those who do the pieces: yields each with its result, in any order; closed, it stops them."""


def swap_spread(
    batch: Batch,
    crew: Crew,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    span: float | None = None,
) -> bool:
    """Swap all files of a batch; whether all were, or ``cancelled`` said yes.

    Args:
        batch: the files.
        crew: does the pieces.
        progress: told after each span of a single video.
        cancelled: asked after each piece.
        span: length of a video's pieces, seconds; None: that of its parts.

    Raises:
        ConsentError, CredentialsError, ClusterError, DiskFull: as :func:`faceswap.swap.batch.media_swap.swap_media`.
    """
    return _Spread(batch, progress, span).run(crew, cancelled or (lambda: False))


class _Spread:
    def __init__(self, batch: Batch, progress: Progress | None, span: float | None) -> None:
        self._batch, self._span = batch, span
        self._tell = progress if batch.single else None
        self._open: dict[int, SpannedVideo] = {}

    def run(self, crew: Crew, cancelled: Callable[[], bool]) -> bool:
        if self._batch.metadata is not None:
            content_credentials.check()  # hours before it would fail
        try:
            if cancelled() or self._stopped(crew, cancelled):
                for number, video in list(self._open.items()):
                    report = video.whole.cancel(video.damage, video.changes)
                    self._batch.done(number, of_video(self._batch.planned[number][0], report))
                return False
        except ConsentError:  # what was made of a person who has withdrawn does not stay either
            for video in self._open.values():
                video.whole.parts.remove()
            raise
        except Exception:
            raise
        except BaseException:  # Ctrl-C, or the signal by which Prefect cancels
            for video in self._open.values():
                with suppress(StorageError):  # the parts are there
                    video.whole.keep()
            raise
        return True

    def _stopped(self, crew: Crew, cancelled: Callable[[], bool]) -> bool:
        with closing(crew(self._pieces())) as results:
            for piece, result in results:
                if isinstance(piece, VideoSpan):
                    self._take_span(piece, result)
                else:
                    assert isinstance(result, list)
                    for target, picture in zip(piece.targets, result, strict=True):
                        self._take_picture(target.number, picture)
                if cancelled():
                    return True
        return False

    def _pieces(self) -> Iterator[Piece]:
        """Made as they are wanted, so that of many files few are open."""
        pictures: list[Target] = []
        for number, (item, place) in enumerate(self._batch.planned):
            try:
                if self._batch.taken_over(number):
                    continue
                target = _target(number, item, place)
                if item.kind == "image":
                    refuse_the_target(item.path, place)
                    pictures.append(target)
                else:
                    yield from self._spans(target, place)
            except STOPS_ALL:
                raise
            except Exception as error:  # one file must not take the others with it
                self._batch.failed(number, Failed.of(item.path, error))
            if len(pictures) == PICTURES:
                yield Pictures(tuple(pictures))
                pictures = []
        if pictures:
            yield Pictures(tuple(pictures))

    def _spans(self, target: Target, place: Path) -> Iterator[Piece]:
        source, batch = Path(target.path), self._batch
        whole = Assembly(
            source,
            place,
            probe(source),
            batch.swapper,
            batch.metadata,
            start=batch.start,
            end=batch.end,
            resume=batch.resume,
        )
        video = self._open[target.number] = SpannedVideo(whole, self._span)
        if video.complete:
            self._finish(target.number)
        for span in video.missing:
            if batch.settled(target.number):  # a span of it failed
                return
            yield VideoSpan(target, span)

    def _take_span(self, piece: VideoSpan, result: Result) -> None:
        number = piece.target.number
        if self._batch.settled(number):
            return
        if isinstance(result, Failed):
            del self._open[number]  # what is done of it stays
            self._batch.failed(number, result)
            return
        assert not isinstance(result, list)
        video = self._open[number]
        try:
            video.take(piece.span, result)
        except STOPS_ALL:
            raise
        except Exception as error:
            del self._open[number]
            self._batch.failed(number, Failed.of(piece.target.path, error))
            return
        if self._tell is not None:
            self._tell(video.frames, video.whole.expected, Path(piece.target.path).name)
        if video.complete:
            self._finish(number)

    def _finish(self, number: int) -> None:
        item, video = self._batch.planned[number][0], self._open[number]
        self._batch.attempt(number, lambda: of_video(item, video.whole.finish(video.damage, video.changes)))
        del self._open[number]

    def _take_picture(self, number: int, result: EncodedPicture | Failed) -> None:
        if isinstance(result, Failed):
            self._batch.failed(number, result)
            return
        item, place = self._batch.planned[number]

        def written() -> ItemReport:
            if not result.content:
                return of_picture(item, result.picture)
            write_encoded(place, result.content, metadata=self._batch.metadata, target=item.path)
            return of_picture(item, replace(result.picture, out=place))

        self._batch.attempt(number, written)


def _target(number: int, item: MediaItem, place: Path) -> Target:
    return Target(number, str(item.path.absolute()), item.origin, item.path.stat().st_size, place.name)
