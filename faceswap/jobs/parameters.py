"""What each job takes: the same models make the forms in Prefect's UI and check the command line."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from faceswap import backend
from faceswap.errors import SettingsError
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.files.names import printable
from faceswap.jobs.preset_choice import MachinesPreset, PresetName
from faceswap.model.options import MaskOptions, PretrainingOptions, TrainingOptions
from faceswap.model.presets import Preset, preset
from faceswap.model.training.schedule import Budget
from faceswap.provenance.consent.record import Consent
from faceswap.swap.options import SwapOptions

PRIOR = "prior"
OF_THE_RUN = "(of the run)"
"""In place of face sets: those of the training that goes on."""


def _nameable(name: str) -> str:
    """The name with its accents composed, so that one person has one name and MLflow takes it.

    Raises:
        ValueError: MLflow would refuse metrics of that name.
    """
    composed = unicodedata.normalize("NFC", name)
    if not re.fullmatch(r"\w[\w.-]*", composed):
        raise ValueError(
            "a name begins with a letter or a digit and goes on with letters, digits, _ . or -; MLflow takes no marks "
            "that are not one character with their letter"
        )
    return composed


Identity = Annotated[str, AfterValidator(_nameable)]


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _texts(value)


class Parameters(BaseModel):
    """What all jobs' parameters share."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _text(cls, values: object) -> object:
        """Refuse names that are no UTF-8: no server takes them."""
        for text in _texts(values):
            if text != printable(text):
                raise ValueError(
                    f"the name {printable(text)} is not UTF-8: rename the file, or name the folder that it is in"
                )
        return values


class PreprocessParameters(Parameters):
    """Media of one person in, a face set out."""

    identity: Identity = Field(
        description="who it is; the face set and the model are named so", pattern=r"^[\w][\w.-]*$"
    )
    sources: list[str] = Field(
        description="videos, pictures, folders, s3:// prefixes, or a face set", min_length=1
    )
    consent: str = Field(description="what allows the use of this likeness, and who gave it", min_length=3)
    consent_since: dt.date | None = Field(None, description="since when; empty: today")
    fictional: bool = Field(False, description="the person does not exist")
    reference_photos: list[str] = Field([], description="photos of the person: everyone else is dropped")
    options: ExtractionOptions = ExtractionOptions()

    def consent_record(self) -> Consent:
        """The consent as it is stored."""
        since = {"since": self.consent_since} if self.consent_since else {}
        return Consent(subject=self.identity, statement=self.consent, fictional=self.fictional, **since)


class TrainParameters(Parameters):
    """Face sets in, registered decoder versions out."""

    face_sets: list[str] = Field(
        description="one per identity: its name (the newest set is taken), or the folder or s3:// prefix of a set",
        min_length=1,
    )
    preset: MachinesPreset = None
    minutes: float | None = Field(
        None, gt=0, description="budget in minutes (give one of minutes, steps, epochs)"
    )
    steps: int | None = Field(None, gt=0, description="budget in optimizer steps")
    epochs: float | None = Field(None, gt=0, description="budget in passes over the faces")
    bottleneck: int | None = Field(None, ge=4, le=4096, description="width of the code; empty: the preset's")
    batch_size: int | None = Field(
        None, ge=1, le=1024, description="pairs of each identity a step; empty: the preset's"
    )
    learning_rate: float | None = Field(None, gt=0, le=0.1, description="empty: the preset's")
    changes: dict[str, Any] = Field(
        {}, description='other fields of the preset: {"loss": {"dssim": 1}}; the three above win'
    )
    tune_run: str = Field("", description="MLflow run of the search that chose these settings")
    seed: int = Field(0, ge=0, lt=2**31, description="of the batches and of the initial weights")
    patience: int = Field(
        0, ge=0, description="validations without a better swap before winding down; 0: never"
    )
    checkpoint_seconds: float = Field(60, gt=0, description="a kill loses at most this much")
    validate_seconds: float = Field(60, gt=0, description="between validations and previews")
    warm_start: str = Field(
        PRIOR,
        description="what to start from: prior (learnt from fictional people, where the preset has one), "
        "a version (NAME@alias, NAME/3), or empty: nothing",
    )
    freeze_encoder: bool = Field(False, description="with a warm start: train only the decoders")
    devices: int = Field(
        1, ge=1, le=64, description="GPUs that train together, each a part of every batch (JAX)"
    )
    measure_frames: int = Field(
        12,
        ge=0,
        description="held-out frames of each target that the versions are measured on at the end; 0: none",
    )
    resume: str = Field(
        "",
        description="MLflow run id of an interrupted training to go on with; of all else only a budget may be given, "
        f"and {OF_THE_RUN} as face set",
    )

    def recipe(self) -> Preset:
        """The preset, this machine's where none is named, with the changes asked for."""
        changes = {
            key: value
            for key in ("bottleneck", "batch_size", "learning_rate")
            if (value := getattr(self, key)) is not None
        }
        return preset(self.preset or backend.preset_here(self.minutes)).with_(**self.changes | changes)

    def options(self) -> TrainingOptions:
        """Budget, seed and intervals.

        Raises:
            SettingsError: more than one budget is given, or the encoder is frozen without a warm start.
        """
        given = {k: v for k in ("minutes", "steps", "epochs") if (v := getattr(self, k)) is not None}
        if len(given) > 1:
            raise SettingsError(
                f"Several budgets are given: {', '.join(given)}", "give one of minutes, steps, epochs"
            )
        if self.freeze_encoder and self.warm_start in {"", PRIOR}:
            raise SettingsError("freeze_encoder needs a trained encoder", "name one with warm_start")
        return TrainingOptions(
            budget=Budget(**given) if given else Budget(minutes=4),
            seed=self.seed,
            patience=self.patience,
            freeze_encoder=self.freeze_encoder,
            checkpoint_seconds=self.checkpoint_seconds,
            validate_seconds=self.validate_seconds,
            devices=self.devices,
        )


class PretrainParameters(Parameters):
    """Fictional people in, the prior out that trainings start from."""

    preset: PresetName = Field(
        PresetName("lite"),
        description="architecture and training recipe; the larger ones start from lite's prior",
    )
    options: PretrainingOptions = PretrainingOptions()
    start: str = Field("", description="prior to begin from, another view's too; empty: from nothing")
    out: str = Field("", description="file to write; empty: under the home folder, where trainings find it")
    devices: int = Field(
        1, ge=1, le=64, description="GPUs that train together, each a part of every batch (JAX)"
    )


class LearnMasksParameters(Parameters):
    """Fictional people in, the network out that tells skin, hair, glasses and other things apart."""

    options: MaskOptions = MaskOptions()
    out: str = Field("", description="file to write; empty: under the home folder, where swaps find it")


class EvaluateParameters(Parameters):
    """Registered versions measured on held-out faces of targets."""

    references: list[str] = Field(
        description="versions whose identity is put on: NAME, NAME@alias, NAME/3", min_length=1
    )
    targets: list[str] = Field(
        [],
        description="face sets of the targets: names or folders; empty: those the versions were trained with",
    )
    frames: int = Field(40, ge=2, le=1000, description="held-out frames of each target")


class Destination(StrEnum):
    """Where a version is to go."""

    PRODUCTION = "production"
    CHALLENGER = "challenger"


class PromoteParameters(Parameters):
    """A version measured against the one in production, and put in its place where the gates let it pass."""

    version: str = Field(description="NAME/3 or NAME@alias; NAME alone: its challenger", min_length=1)
    to: Destination = Field(
        Destination.PRODUCTION, description="production, by the gates; or challenger: only nominated"
    )
    targets: list[str] = Field(
        [], description="face sets that both are put on; empty: those the version was trained with"
    )
    frames: int = Field(40, ge=2, le=1000, description="held-out frames of each target")
    override: str | None = Field(
        None, description="the reason why it goes to production even if a gate refuses; empty: it does not"
    )
    by: str = Field("", max_length=200, description="who promotes; empty: the user of the machine")
    approval: bool = Field(False, description="pause for a person's yes or no in Prefect's UI")
    approval_hours: float = Field(24, gt=0, le=720, description="how long to wait for it")


class RollbackParameters(Parameters):
    """The version before into production again."""

    name: Identity = Field(description="the identity", pattern=r"^[\w][\w.-]*$")
    reason: str = Field("", max_length=1000, description="why; it is recorded")
    by: str = Field("", max_length=200, description="who; empty: the user of the machine")


class Casting(Parameters):
    """A reference for one person of the target."""

    reference: str = Field(description="version: NAME, NAME@alias, NAME/3", min_length=1)
    photo: str = Field(description="photo of the person in the target who gets it", min_length=1)


class SwapParameters(Parameters):
    """A picture, a folder or a video with the reference's face put on."""

    target: str = Field(description="picture, folder, video or s3:// URI to edit")
    reference: str = Field(description="version whose identity is put on: NAME, NAME@alias, NAME/3")
    out: str = Field(description="file to write, or folder where the target is a folder; or s3:// URI")
    match: str = Field("", description="photo of the person in the target to swap; empty: every face")
    others: list[Casting] = Field(
        [], description="further references, each for the face that looks like its photo"
    )
    target_consent: str = Field(
        "",
        max_length=200,
        description="who confirmed that the target may be edited, and by what; it is written into the result",
    )
    start: float | None = Field(None, ge=0, description="video: first second")
    end: float | None = Field(None, gt=0, description="video: last second")
    resume: bool = Field(True, description="go on where the same swap of a video was interrupted")
    options: SwapOptions = SwapOptions()


class PipelineParameters(Parameters):
    """The whole job: media of two or more people in; report, pictures and video out."""

    people: dict[Identity, str] = Field(
        description="identity -> video, folder, s3:// prefix or face set", min_length=2
    )
    consent: dict[Identity, str] = Field(description="identity -> what allows the use of the likeness")
    fictional: bool = Field(False, description="none of the people exists")
    reference_photos: dict[Identity, list[str]] = Field({}, description="identity -> photos of the person")
    out: str = Field(description="folder or s3:// prefix for the report, the pictures and the video")
    preset: MachinesPreset = None
    minutes: float = Field(4, gt=0, description="training time, minutes")
    bottleneck: int | None = Field(None, ge=4, le=4096, description="width of the code; empty: the preset's")
    seed: int = Field(0, ge=0, lt=2**31, description="of the batches and of the initial weights")
    frames: int = Field(40, ge=2, le=1000, description="held-out frames a pair is measured on")
    options: ExtractionOptions = ExtractionOptions()
