"""The files of a batch swap on their way: which are done, in this run or in one before, and what became of each."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from faceswap.media.sources import MediaItem
from faceswap.provenance.metadata import Provenance
from faceswap.swap.batch.journal import Journal
from faceswap.swap.batch.pieces import STOPS_ALL, Failed
from faceswap.swap.batch.reports import ItemReport, SwapReport
from faceswap.swap.fingerprint import swap_key
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import Progress


class Batch:
    """What is to be swapped, and what became of it.

    Args:
        planned: the files, each with the place of its result.
        journal: of the files that are done; None: there is one file.
        passed_over: files that were not taken, by reason.
        progress: told after each file of several, and after a single picture.
        swapper, metadata, start, end, resume: as for :func:`faceswap.swap.batch.media_swap.swap_media`.
    """

    def __init__(
        self,
        planned: Sequence[tuple[MediaItem, Path]],
        swapper: Swapper,
        metadata: Provenance | None,
        *,
        journal: Journal | None,
        passed_over: dict[str, int],
        progress: Progress | None,
        start: float | None = None,
        end: float | None = None,
        resume: bool = True,
    ) -> None:
        self.planned, self.swapper, self.metadata = planned, swapper, metadata
        self.start, self.end, self.resume = start, end, resume
        self._journal, self._passed_over = journal, passed_over
        self._tell: Progress = progress or (lambda *_: None)
        self._keys: dict[int, str] = {}
        self._reports: dict[int, ItemReport] = {}
        self._may_pass = False

    @property
    def single(self) -> bool:
        """Whether there is one file."""
        return self._journal is None

    def settled(self, number: int) -> bool:
        """Whether it is known what became of a file."""
        return number in self._reports

    def interrupted(self, number: int) -> bool:
        """Whether the work on a file was cancelled."""
        video = self._reports[number].video
        return video is not None and video.cancelled

    def taken_over(self, number: int) -> bool:
        """Whether an interrupted run has finished a file; its report is taken over then."""
        item, place = self.planned[number]
        if self._journal is None:
            return False
        try:
            key = swap_key(item.path, self.swapper, self.metadata, self.start, self.end)
        except OSError:  # it is gone; the swap says so
            return False
        self._keys[number] = key
        noted = self._journal.known(key)
        if noted is None or not place.exists():
            return False
        try:
            report = ItemReport.model_validate(noted | {"resumed": True})
        except ValidationError:  # written by another version of this software
            return False
        self._settle(number, report)
        return True

    def done(self, number: int, report: ItemReport) -> None:
        """A file is done."""
        if self._journal and report.out is not None and number in self._keys:
            self._journal.add(self._keys[number], report.model_dump(mode="json"))
        self._settle(number, report)

    def failed(self, number: int, failed: Failed) -> None:
        """Nothing came of a file."""
        item = self.planned[number][0]
        self._may_pass |= failed.may_pass
        self._settle(number, ItemReport(source=item.path, kind=item.kind, reason=failed.reason))

    def attempt(self, number: int, work: Callable[[], ItemReport]) -> None:
        """Finish a file; what goes wrong with it is its report, but for errors that would hit the others as well."""
        try:
            report = work()
        except STOPS_ALL:
            raise
        except Exception as error:  # one file must not take the others with it
            self.failed(number, Failed.of(self.planned[number][0].path, error))
        else:
            self.done(number, report)

    def report(self, cancelled: bool = False) -> SwapReport:
        """What became of all files, in their order; where all are done, the same call begins anew."""
        if self._journal and not cancelled and not self._may_pass:
            self._journal.remove()
        items = [self._reports[number] for number in sorted(self._reports)]
        return SwapReport(items=items, cancelled=cancelled, passed_over=self._passed_over)

    def _settle(self, number: int, report: ItemReport) -> None:
        self._reports[number] = report
        if not self.interrupted(number) and (not self.single or report.kind == "image"):
            self._tell(len(self._reports), len(self.planned), self.planned[number][0].name)
