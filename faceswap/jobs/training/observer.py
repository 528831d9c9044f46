"""What a training tells of itself while it runs, and what ends it from outside: a consent that was withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from faceswap import tracking
from faceswap.errors import ConsentError
from faceswap.jobs.monitor import Monitor
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import Batches
from faceswap.model.training.previews import preview_sheet
from faceswap.output.progress import Report
from faceswap.process.background import Background
from faceswap.provenance.consent.life import Purpose
from faceswap.provenance.consent.record import Consent
from faceswap.registry import consents
from faceswap.registry.cards.origin import in_training


@dataclass
class Observer:
    """Tells MLflow and the monitor how the training goes."""

    run: tracking.Run
    data: Batches
    report: Report
    monitor: Monitor
    people: Mapping[str, Consent | None] = field(default_factory=dict)
    _questions: Background = field(default_factory=lambda: Background("the record of consents"))
    _refusal: ConsentError | None = None

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Numbers to MLflow."""
        self.run.metrics(values, step)

    def validated(self, step: int, model: Autoencoders) -> None:
        """A preview to MLflow's series and to the monitor."""
        sheet = preview_sheet(model, self.data)
        origin = in_training(self.data.identities, self.run.run_id)
        self.run.image(sheet, "preview", step, origin)
        title = f"step {step}: held-out face, its reconstruction, the swaps"
        self.monitor.picture(f"preview-{self.run.run_id[:12]}", sheet, title, origin)

    def progress(self, share: float, message: str) -> None:
        """The share of the budget to the bars.

        Whether all still consent is asked meanwhile: a server that stands still holds no training up.

        Raises:
            ConsentError: when that was last answered, one of the people had withdrawn.
        """
        if self._refusal is not None:
            raise self._refusal
        self._questions.submit("question", self._ask, replaces=True)
        self.report(round(share * 1000), 1000, message)

    def _ask(self) -> None:
        try:
            for identity, consent in self.people.items():
                consents.require(identity, Purpose.TRAINING, consent)
        except ConsentError as error:
            self._refusal = error
