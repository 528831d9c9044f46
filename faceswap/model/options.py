"""What one may choose about a training, the prior's and the segmentation network's among them.

Apart from what trains, so that forms and the command line can check a choice without loading it.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from faceswap.model.training.schedule import Budget

Pairs = Literal["auto", "host", "device"]


class TrainingOptions(BaseModel):
    """How a training is run; the preset says what is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: Budget = Budget(minutes=4)
    seed: int = Field(0, ge=0, lt=2**31, description="of the batches and of the initial weights")
    checkpoint_seconds: float = Field(60, gt=0, description="a kill loses at most this much")
    report_seconds: float = Field(5, gt=0, description="between two points of the loss curve")
    validate_seconds: float = Field(60, gt=0, description="between two validations on held-out faces")
    patience: int = Field(
        0,
        ge=0,
        description="validations without a better swap before the training winds down; 0: use the budget",
    )
    freeze_encoder: bool = Field(
        False, description="train the decoders only: add an identity to a trained encoder"
    )
    devices: int = Field(1, ge=1, le=64, description="that train together, each a part of every batch")
    pairs: Pairs = Field(
        "auto", description="where training pairs are made; auto: on the device where that is a GPU"
    )


class PretrainingOptions(BaseModel):
    """How many fictional people, how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(240, ge=2, le=5000, description="fictional people")
    scenes: int = Field(20, ge=2, le=1000, description="scenes each is seen in")
    render_size: int = Field(
        208,
        ge=64,
        le=1024,
        description="least side of the rendered pictures, px: larger where the preset generates more",
    )
    steps: int = Field(4000, ge=1, description="optimizer steps")
    batch_size: int = Field(8, ge=1, le=256, description="pairs of each of the two decoders in a step")
    learning_rate: float = Field(
        1e-3, gt=0, le=0.1, description="at the beginning; less where it starts from a prior"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the people, the batches and the initial weights")


class MaskOptions(BaseModel):
    """How many fictional people, how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(900, ge=2, le=5000, description="fictional people")
    scenes: int = Field(3, ge=1, le=1000, description="scenes each is seen in")
    render_size: int = Field(192, ge=64, le=1024, description="side of the rendered pictures, px")
    steps: int = Field(6000, ge=1, description="optimizer steps")
    batch_size: int = Field(16, ge=1, le=256, description="faces in a step")
    reuse: int = Field(4, ge=1, le=100, description="times that each painted face is used, on average")
    learning_rate: float = Field(2e-3, gt=0, le=0.1, description="highest; it rises to it and then falls")
    seed: int = Field(0, ge=0, lt=2**31, description="of the people, the batches and the initial weights")
