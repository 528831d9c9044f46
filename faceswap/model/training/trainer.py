"""The training loop: one step trains all identities; it can be killed at any moment and goes on."""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
from pydantic import ValidationError

from faceswap.errors import CheckpointError, DivergedError, TrainingError
from faceswap.model.compiled import fuses, keep_compiled
from faceswap.model.device import device
from faceswap.model.options import TrainingOptions
from faceswap.model.presets import Preset
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.checkpoints import Checkpoints, TrainingState
from faceswap.model.training.dataset import Batches
from faceswap.model.training.engines import out_of_memory, signals
from faceswap.model.training.engines.engine import engine_for
from faceswap.model.training.engines.optimizer import adam
from faceswap.model.training.engines.parallel import spread_over
from faceswap.model.training.result import Observer, TrainingResult
from faceswap.model.training.schedule import Due, Schedule, Step, Stopwatch
from faceswap.model.training.validation import Quality, Validation, Validator

logger = logging.getLogger(__name__)
_MAX_ROLLBACKS = 3


class Trainer:
    """Trains one encoder and N decoders.

    Args:
        data: the faces.
        preset: the architecture.
        options: budget, seed, intervals.
        folder: for checkpoints.
        observer: who is told.
        quality: measures swaps; without it a plateau is judged by the held-out loss.
        initialize: called once with the fresh model (a warm start).
        face_sets, run_id: stored with the checkpoints.
        saved: told of each checkpoint, once it is whole; returns at once.
    """

    def __init__(
        self,
        data: Batches,
        preset: Preset,
        options: TrainingOptions,
        folder: Path,
        observer: Observer,
        quality: Quality | None = None,
        initialize: Callable[[Autoencoders], None] | None = None,
        face_sets: dict[str, str] | None = None,
        run_id: str = "",
        saved: Callable[[Path], None] = lambda _: None,
    ) -> None:
        self.saved = saved
        self.data, self.options, self.observer = data, options, observer
        self.checkpoints = Checkpoints(folder)
        self.schedule = Schedule(options.budget, preset, data.steps_per_epoch)
        keras.utils.set_random_seed(options.seed)
        if keras.backend.backend() == "jax":
            keep_compiled()
        spread_over(options.devices, preset)
        fuse = fuses(self.schedule.steps, self.schedule.seconds)
        with self._explained(preset):
            self.model = Autoencoders(preset, data.identities, device().dtype, fuse=fuse)
            if initialize:
                initialize(self.model)
        self.state = TrainingState(
            options.seed,
            preset.model_dump(mode="json"),
            options.budget.model_dump(),
            face_sets or {},
            run_id=run_id,
        )
        self.validator = Validator(self.model, data, quality, observer.validated, device().accelerated)
        with self._explained(preset):
            self.engine = engine_for(self.model, data, options.seed, options.pairs)
            self._prepare(options.freeze_encoder)
        self._pace, self._compiled_in = 0.0, 0.0
        self._images_per_step = len(data.identities) * preset.batch_size
        self._clock = Stopwatch()

    def resume(self) -> int:
        """Go on from the newest checkpoint, with the same budget or another; returns its step.

        Raises:
            CheckpointError: there is none, or it was made with other settings.
        """
        found = self.checkpoints.latest()
        if found and (_whole(found.preset), found.face_sets) != (self.state.preset, self.state.face_sets):
            raise CheckpointError(
                f"The checkpoint in {self.checkpoints.folder} was made with another preset or other face sets",
                "start a new run, or use the same settings",
            )
        self._restore()
        if self.state.budget != self.options.budget.model_dump():
            self._go_beyond()
        return self.state.step

    def train(self) -> TrainingResult:
        """Use up the budget. On any interruption the state is saved before the exception goes on.

        Raises:
            CheckpointError: the first or the last state can't be saved; of those between only the log tells.
            DivergedError: the loss is not a number, again and again.
        """
        try:
            with self._explained(self.model.preset):
                self._compile()
                self._loop()
            self._save()
        except TrainingError:
            raise
        except BaseException as interruption:  # KeyboardInterrupt, Prefect's TerminationSignal
            try:
                self._save()
            except CheckpointError as error:
                interruption.add_note(str(error))
            raise
        finally:
            self.engine.close()
            self.validator.close()
            spread_over(1, self.model.preset)
        rate = self.state.step * self._images_per_step / max(self.state.seconds, 1e-9)
        return TrainingResult(
            self.model,
            self.state.step,
            self.state.seconds,
            self._compiled_in,
            rate,
            self.state.stopped_early,
            self.state.rollbacks,
            dict(self.data.views),
            self.state.history,
        )

    def _explained(self, preset: Preset) -> AbstractContextManager[None]:
        return out_of_memory.explained(preset, len(self.data.identities))

    def _compile(self) -> None:
        """While the clock stands: a budget of minutes is one of training."""
        seconds = self.engine.prepare()
        if seconds:
            self._compiled_in += seconds
            logger.info("Compiled in %.1f s", seconds)
            self.observer.metrics(self.state.step, {"compile_seconds": self._compiled_in})

    def _loop(self) -> None:
        self._clock.seconds = self.state.seconds
        due = Due(
            self.state.seconds,
            report=self.options.report_seconds,
            validate=self.options.validate_seconds,
            save=self.options.checkpoint_seconds,
        )
        if not self.state.step:
            self._save()  # something to roll back to
        unreported: tuple[dict[str, Any], Step] | None = None
        while (share := self.schedule.progress(self.state.step, self.state.seconds)) < 1:
            step = self.state.step
            if not self.state.encoder_rests and self.schedule.finishing(share):
                self._prepare(encoder_rests=True)
                with self._clock.paused():
                    self._compile()
            before = self.state.seconds
            slow = 0.5**self.state.rollbacks
            plan = self.schedule.plan(step, before, self._pace, self.engine.wanted, slow)
            with signals.waiting():
                done, logs = self.engine.run(plan)
                self.state.step = step + done
                self.state.seconds = self._clock.seconds
            self._pace = (self.state.seconds - before) / done
            if not math.isfinite(float(logs["loss"])):
                self._roll_back()
                self._clock.seconds = self.state.seconds
                continue
            unreported = logs, plan[done - 1]
            if due("report", self.state.seconds):
                self._report(*unreported, share)
                unreported = None
            validating = not self.validator.busy and due("validate", self.state.seconds)
            if due("save", self.state.seconds) or validating:
                self._save_if_possible()
            if validating:
                self._validate()
            elif found := self.validator.collect():
                self._judge(found)
        if unreported:  # the curve reaches the last step, however short the training
            self._report(*unreported, 1.0)
        self._save_if_possible()
        self._validate_last()
        self.observer.progress(1.0, f"step {self.state.step}")

    def _report(self, logs: dict[str, Any], last: Step, share: float) -> None:
        values = {k: float(v) for k, v in logs.items() if k != "loss"}
        rate = self.state.step * self._images_per_step / self.state.seconds
        values |= {
            "loss": sum(values.values()),
            "learning_rate": last.learning_rate,
            "images_per_second": rate,
        }
        self.engine.reset_means()  # each point is the mean since the last one
        with self._clock.paused():
            self.observer.metrics(self.state.step, values)
            self.observer.progress(
                share, f"step {self.state.step}, loss {values['loss']:.4f}, {rate:.0f} images/s"
            )

    def _validate(self) -> None:
        """Beside the training where a GPU trains; else now, which counts as time of the training."""
        self.engine.settle()
        if self.validator.beside:
            self.validator.begin(self.state.step, self.state.seconds)
            return
        found = self.validator.measure(self.state.step, self.state.seconds)
        self._judge(found)
        with self._clock.paused():
            self.observer.validated(found.step, self.model)
        self.state.seconds = self._clock.seconds

    def _validate_last(self) -> None:
        """Of what is trained; the training is over, and waiting for a thread is none of its time."""
        if not self.validator.beside:
            self._validate()
            return
        with self._clock.paused():
            found = self.validator.collect(wait=True)
            if found:
                self._judge(found)
            if not found or found.step != self.state.step:
                self._validate()
                if found := self.validator.collect(wait=True):
                    self._judge(found)

    def _judge(self, found: Validation) -> None:
        score = found.values.get("score", -found.values["heldout_mae"])
        self.state.history.append((found.step, found.seconds, found.values))
        with self._clock.paused():
            self.observer.metrics(found.step, found.values)
        if score > self.state.best + 1e-3:
            self.state.best, self.state.waited = score, 0
        else:
            self.state.waited += 1
        impatient = 0 < self.options.patience <= self.state.waited
        if impatient and not self.state.stopped_early:
            self.state.stopped_early = True
            self.state.end = self.schedule.finish_soon(self.state.step, self.state.seconds)
            logger.info("No better swap for %d validations: winding down", self.state.waited)

    def _roll_back(self) -> None:
        count, step = self.state.rollbacks + 1, self.state.step
        if count > _MAX_ROLLBACKS:
            raise DivergedError(
                f"The loss was not a number {count} times, last at step {step}",
                "lower the learning rate, or look for broken crops in the face sets' contact sheets",
            )
        logger.warning(
            "The loss is not a number at step %d: back to the last checkpoint, half the rate", step
        )
        self._restore()
        self.state.rollbacks = count
        self.engine.reset_means()
        self.engine.restart()
        self.observer.metrics(step, {"rollbacks": float(count)})

    def _prepare(self, encoder_rests: bool) -> None:
        """Train all of the model or the decoders only, with a fresh optimizer for just what is trained."""
        self.state.encoder_rests = encoder_rests
        self.engine.settle()
        self.model.encoder.trainable = not encoder_rests
        self.optimizer = adam(self.model.preset, self.model.trainable_variables)
        self.engine.use(self.optimizer)

    def _restore(self) -> None:
        self.state = self.checkpoints.restore(self.model, self._optimizer_for)
        self.state.encoder_rests = self._rests_in(self.state)
        self.engine.reload()
        if self.state.stopped_early and not self.state.end:  # a checkpoint that does not know its end
            self.state.end = self.schedule.finish_soon(self.state.step, self.state.seconds)
        self.schedule.end_at(self.state.end)

    def _optimizer_for(self, state: TrainingState) -> keras.optimizers.Optimizer:
        if self._rests_in(state) != self.state.encoder_rests:
            self._prepare(self._rests_in(state))
        return self.optimizer

    def _rests_in(self, state: TrainingState) -> bool:
        return state.encoder_rests or self.options.freeze_encoder

    def _go_beyond(self) -> None:
        """Another budget than the checkpoint's: all of it is used; where the finish comes later, the encoder wakes."""
        self.state.budget = self.options.budget.model_dump()
        self.state.stopped_early, self.state.waited, self.state.end = False, 0, None
        self.schedule.end_at(None)
        share = self.schedule.progress(self.state.step, self.state.seconds)
        finishing = self.options.freeze_encoder or self.schedule.finishing(share)
        if self.state.encoder_rests and not finishing:
            self._prepare(encoder_rests=False)

    def _save(self) -> None:
        self.engine.settle()
        with self._clock.paused():
            self.saved(self.checkpoints.save(self.model, self.optimizer, self.state))

    def _save_if_possible(self) -> None:
        """What is learnt is not given up for a disk that is full for a while: the next interval tries again."""
        try:
            self._save()
        except CheckpointError as error:
            logger.warning("%s. The training goes on, and a checkpoint is tried again", error.message)


def _whole(stored: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint's preset with the fields that presets have had since, at what they were without them."""
    try:
        return Preset.model_validate(stored).model_dump(mode="json")
    except ValidationError:
        return stored
