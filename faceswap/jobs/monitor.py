"""How a job shows itself while it runs, and what it may ask of whoever runs it.

Jobs know no orchestrator: they tell a :class:`Monitor`. That of this module writes to the terminal;
``flows/prefect_monitor.py`` holds the one that shows everything in Prefect's UI.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from faceswap.errors import SettingsError
from faceswap.output.progress import Report, bar

if TYPE_CHECKING:  # pictures need it, the parameters of a command do not
    import numpy as np
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from faceswap.provenance.metadata import Provenance

P = ParamSpec("P")
R = TypeVar("R")
Given = TypeVar("Given", bound="BaseModel")


@dataclass(frozen=True)
class Answer:
    """What a person said when a job asked."""

    approved: bool
    by: str
    reason: str = ""


class Monitor(Protocol):
    """Takes what a job tells of itself.

    To stop a job, raise from a :data:`~faceswap.output.progress.Report` or in the main thread: it saves what it has,
    ends its MLflow run and lets the exception pass.
    """

    def progress(self, title: str, unit: str = "") -> AbstractContextManager[Report]:
        """Show how far a piece of work is; as :func:`faceswap.output.progress.bar`."""
        ...

    def picture(
        self, key: str, image: "NDArray[np.uint8]", description: str, origin: "Provenance | None"
    ) -> None:
        """Show a picture; a later one of the same key takes its place.

        Args:
            key: of the picture.
            image: (H, W, 3) uint8 RGB, without label and mark.
            description: for people.
            origin: of the generated faces in it, which is labelled, marked and signed then; None: it holds none.
        """
        ...

    def note(self, markdown: str, key: str = "", description: str = "") -> None:
        """Show a text."""
        ...

    def table(self, rows: Sequence[Mapping[str, Any]], key: str, description: str = "") -> None:
        """Show a table, one mapping from column to value a row."""
        ...

    def tags(self) -> dict[str, str]:
        """Tags of an MLflow run that lead back to the orchestrator's run."""
        ...

    def root(self) -> str:
        """Id of the orchestrator's run that people see, by which a retry finds what it left; empty without one."""
        ...

    def step(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function as a step of the job, in this thread, and return what it returns."""
        ...

    def job(self, work: "Callable[[Given, Monitor], R]", parameters: Given) -> R:
        """Do another job as a part of this one."""
        ...

    def training_slot(self, count: int = 1) -> AbstractContextManager[None]:
        """Wait until the trainings on the machines that share an orchestrator leave room for this one.

        Args:
            count: slots that it needs, one a GPU; where there are fewer in all, it takes those.
        """
        ...

    def check_answers(self) -> None:
        """Make sure that :meth:`ask` reaches a person.

        Raises:
            SettingsError: there is nobody to ask.
        """
        ...

    def ask(self, question: str, hours: float) -> Answer | None:
        """Ask a person; None: nobody answered in time.

        Args:
            question: in Markdown.
            hours: how long to wait.

        Raises:
            SettingsError: there is nobody to ask.
        """
        ...


class Terminal:
    """A job without an orchestrator: bars on the terminal, lines in a pipe; all else is in MLflow."""

    def progress(self, title: str, unit: str = "") -> AbstractContextManager[Report]:
        """A bar, or lines."""
        return bar(title, unit)

    def picture(
        self, key: str, image: "NDArray[np.uint8]", description: str, origin: "Provenance | None"
    ) -> None:
        """Not shown."""

    def note(self, markdown: str, key: str = "", description: str = "") -> None:
        """Not shown."""

    def table(self, rows: Sequence[Mapping[str, Any]], key: str, description: str = "") -> None:
        """Not shown."""

    def tags(self) -> dict[str, str]:
        """None."""
        return {}

    def root(self) -> str:
        """None."""
        return ""

    def step(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The function, called."""
        return function(*args, **kwargs)

    def job(self, work: Callable[[Given, Monitor], R], parameters: Given) -> R:
        """The other job, told to the same terminal."""
        return work(parameters, self)

    def training_slot(self, count: int = 1) -> AbstractContextManager[None]:
        """Nobody waits."""
        return nullcontext()

    def ask(self, question: str, hours: float) -> Answer | None:
        """Refused."""
        self.check_answers()
        return None

    def check_answers(self) -> None:
        """There is nobody to ask."""
        raise SettingsError(
            "An approval needs a Prefect server to answer in",
            "start `faceswap up`, or set PREFECT_API_URL to one",
        )


TERMINAL = Terminal()
"""What jobs tell unless they are given another."""
