"""Presets: everything that sizes and trains a model, as data.

A preset is one frozen object: it is what a user picks, what MLflow logs and what a registered version stores.
``PRESETS["lite"].with_(bottleneck=64)`` makes a variant; an unknown or ill-typed field raises.
"""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from faceswap.errors import SettingsError

if TYPE_CHECKING:
    from faceswap.faces.geometry import Geometry


class LossWeights(BaseModel):
    """What the loss is made of; a weight of 0 leaves a term out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mae: float = Field(1.0, ge=0, description="mean absolute error")
    dssim: float = Field(0.0, ge=0, description="structural dissimilarity (1 - SSIM) / 2")
    gradient: float = Field(
        0.0, ge=0, description="mean absolute error of the image gradients: sharper edges"
    )
    background: float = Field(1.0, ge=0, le=1, description="weight of pixels outside of the face's hull")
    covered: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of its weight that a pixel within the face's hull keeps where hair or a hand lies over the "
        "face: with little of it a fringe is not learnt, but the forehead and the brow that are seen elsewhere",
    )
    features: float = Field(1.0, ge=1, le=20, description="weight of the pixels of eyes and mouth")
    shape: float = Field(
        0.0,
        ge=0,
        description="error of the expression's landmarks that one head, shared by all identities, reads from the "
        "code: an expression gets the same code for everyone",
    )


class Augmentation(BaseModel):
    """How a stored crop is varied before it becomes a training pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation: float = Field(10.0, ge=0, le=45, description="largest rotation, degrees")
    zoom: float = Field(0.05, ge=0, le=0.3, description="largest relative change of scale")
    shift: float = Field(0.05, ge=0, le=0.2, description="largest shift, in sides of the crop")
    flip: float = Field(0.4, ge=0, le=1, description="share of mirrored pairs")
    colour: float = Field(0.05, ge=0, le=0.5, description="largest relative change of a channel's gain")
    warp: float = Field(
        0.03, ge=0, le=0.2, description="standard deviation of the warp, in sides of the crop"
    )
    warp_end: float = Field(
        0.0, ge=0, le=1, description="share of the budget over which the warp fades; 0: it stays as it is"
    )
    warp_rest: float = Field(
        0.0, ge=0, le=0.2, description="standard deviation below which the warp does not fade"
    )
    warp_rest_steps: int = Field(
        0, ge=0, description="optimizer steps over which that rest comes in, linearly; 0: it is there at once"
    )
    tint: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="largest relative change of a channel's gain on the input alone: the code shall not tell whose "
        "skin it is",
    )
    surroundings: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the inputs whose face has the surroundings of another identity: the code shall not "
        "tell whose hair and background it is",
    )

    def warp_at(self, progress: float, step: int = 0) -> float:
        """The warp's standard deviation at a step, when ``progress`` of the budget is used; 0 at 1, in the finish."""
        if progress >= 1:
            return 0.0
        if not self.warp_end:
            return self.warp
        rest = self.warp_rest * min(1.0, step / self.warp_rest_steps if self.warp_rest_steps else 1.0)
        return max(self.warp * (1 - progress / self.warp_end), min(self.warp, rest))


class Preset(BaseModel):
    """A model's architecture and how it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: int = Field(
        64, ge=32, le=1024, description="side of the crop that the network reads and writes, px"
    )
    coverage: float = Field(1.5, ge=1, le=3, description="side of that crop in face heights")
    centre: float = Field(
        0.0,
        ge=-1,
        le=1,
        description="how far that crop's centre lies below that of brows, eyes, nose and mouth, in face heights",
    )
    encoder_coverage: float = Field(
        0.0,
        ge=0,
        le=3,
        description="side in face heights of what the encoder reads of it, around brows, eyes, nose and mouth, where "
        "expression and pose show; 0: all of the crop",
    )
    encoder_size: int = Field(
        0,
        ge=0,
        le=512,
        description="side to which what the encoder reads is reduced first, px; 0: it stays as it is",
    )
    encoder_filters: tuple[int, ...] = Field(min_length=2, description="filters of the strided convolutions")
    encoder_kernel: int = Field(5, ge=3, le=7)
    bottleneck: int = Field(ge=4, le=4096, description="width of the dense code")
    code_grid: int = Field(4, ge=2, le=32, description="side of the feature map that the code is expanded to")
    code_columns: int = Field(
        0,
        ge=0,
        le=32,
        description="columns of that map, in the middle of the crop: a face is higher than wide, and what lies beside "
        "them is not generated; 0: all of it is",
    )
    feature_grid: int = Field(
        0, ge=0, le=64, description="side to which that map is resized for the decoders; 0: it stays as it is"
    )
    code_filters: int = Field(ge=8, description="channels of that feature map")
    shared_filters: int = Field(
        0, ge=0, description="filters of an upscaling shared by all identities; 0: none"
    )
    decoder_filters: tuple[int, ...] = Field(min_length=1, description="filters of the decoder's upscalings")
    residual: tuple[int, ...] = Field(
        (), description="residual blocks after each of the decoder's upscalings"
    )
    head: Literal["conv", "shuffle"] = Field(
        "conv", description="conv: 5x5 at full size; shuffle: 3x3 at half size and pixel shuffle (cheaper)"
    )
    icnr: bool = Field(
        False,
        description="the pixels of a pixel shuffle's block begin alike (ICNR), where no prior gives the weights",
    )
    normalize_input: bool = Field(
        False,
        description="standardize each input crop, so that the code does not depend on the light's colour",
    )
    slope: float = Field(0.1, ge=0, le=0.5, description="negative slope of the leaky ReLUs")
    batch_size: int = Field(16, ge=1, le=1024, description="pairs of each identity in a step")
    learning_rate: float = Field(5e-5, gt=0, le=0.1)
    warmup: int = Field(0, ge=0, description="steps over which the learning rate rises")
    final_decay: float = Field(
        1.0, gt=0, le=1, description="share of the learning rate that is left at the budget's end (cosine)"
    )
    finish: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the budget, at its end, in which the encoder rests and nothing is warped: the decoders "
        "get crisp",
    )
    beta_1: float = Field(0.5, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)
    clip_norm: float = Field(0.0, ge=0, description="largest norm of the whole gradient; 0: no clipping")
    loss: LossWeights = LossWeights()
    augmentation: Augmentation = Augmentation()
    prior: str = Field("", description="preset whose prior is taken where there is none of this one's own")

    @model_validator(mode="after")
    def _fits(self) -> "Preset":
        left, top, seen = self.encoder_window
        if left < 0 or not 0 <= top <= self.size - seen:
            raise ValueError(f"encoder_coverage {self.encoder_coverage:g} reaches beyond the crop")
        halvings, read = len(self.encoder_filters), self.encoder_size or seen
        if read > seen:
            raise ValueError(f"the encoder can't read {read} px of a crop of {seen} px")
        if read % 2**halvings or read // 2**halvings < 2:
            raise ValueError(f"{halvings} halvings of {read} px leave no whole grid of at least 2 x 2")
        ups = len(self.decoder_filters) + bool(self.shared_filters) + (self.head == "shuffle")
        name = "feature_grid" if self.feature_grid else "code_grid"
        grid = getattr(self, name)
        if grid * 2**ups != self.size:
            raise ValueError(
                f"{ups} doublings (shared, decoder and head) of {name} {grid} don't give {self.size} px"
            )
        if self.code_columns and (self.code_grid - self.code_columns) % 2:
            raise ValueError("code_grid - code_columns must be even: they lie in the middle")
        if grid * self.code_columns % self.code_grid:
            raise ValueError(f"{self.code_columns} code_columns are no whole columns of the {name}")
        if len(self.residual) not in {0, len(self.decoder_filters)}:
            raise ValueError("residual needs one number per upscaling of the decoder, or none")
        if self.augmentation.surroundings and self.loss.background == 1:
            raise ValueError(
                "augmentation.surroundings needs a loss.background below 1: its map tells where the face is"
            )
        return self

    @property
    def geometry(self) -> "Geometry":
        """The crop that the network reads and writes."""
        from faceswap.faces.geometry import Geometry  # it brings OpenCV

        generated = self.coverage * self.code_columns / self.code_grid
        return Geometry(self.size, self.coverage, self.centre, generated)

    @property
    def encoder_window(self) -> tuple[int, int, int]:
        """Left, top and side, px, of the square of the crop that the encoder reads."""
        if not self.encoder_coverage:
            return 0, 0, self.size
        unit = self.size / self.coverage
        side = round(self.encoder_coverage * unit)
        left = (self.size - side) // 2
        return left, left - round(self.centre * unit), side

    def with_(self, **changes: Any) -> "Preset":
        """A checked copy with some fields changed; nested fields as ``loss={"dssim": 1}``.

        Raises:
            SettingsError: a field does not exist or its value does not fit.
        """
        values = self.model_dump()
        for key, value in changes.items():
            values[key] = {**values[key], **value} if isinstance(values.get(key), dict) else value
        try:
            return Preset.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "preset"
            raise SettingsError(
                f"Preset {self.name!r} can't have {where}: {first['msg']} (got {first.get('input')!r})",
                f"fields are: {', '.join(Preset.model_fields)}",
            ) from error


_OURS: dict[str, Any] = {
    "head": "shuffle",
    "icnr": True,
    "normalize_input": True,
    "warmup": 100,
    "finish": 0.1,
    "beta_1": 0.9,
    "clip_norm": 5.0,
    "loss": LossWeights(
        mae=1.0, dssim=0.5, gradient=1.0, background=0.2, covered=0.02, features=4.0, shape=0.1
    ),
    # little, since swaps read crops that are aligned by their landmarks anyway
    "augmentation": Augmentation(
        rotation=3,
        zoom=0.03,
        shift=0.0133,
        flip=0,
        colour=0.02,
        warp=0.06,
        warp_end=0.33,
        warp_rest=0.0133,
        warp_rest_steps=8000,
        tint=0.25,
        surroundings=0.5,
    ),
}
"""The recipe of all presets but the tutorial's. What hides the input's identity stays to the end. A third of the budget
takes most of the warp away, so that details become certain. The oftener the same faces were seen, the more of it comes
back: without, long trainings lose the lips of others, whose like they have not seen."""

_LITE: dict[str, Any] = {
    **_OURS,
    "coverage": 2.25,
    "centre": -0.25,
    "encoder_coverage": 1.5,
    "encoder_filters": (32, 64, 128, 256),
    "encoder_kernel": 3,
    "bottleneck": 256,
    "code_grid": 18,
    "code_columns": 12,
    "code_filters": 64,
    "batch_size": 4,
    "learning_rate": 1e-3,
}
_LARGER: dict[str, Any] = {**_LITE, "encoder_size": 96, "prior": "lite"}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        # The tutorial's network and training: encoder 69,662,976 and decoder 6,199,747 parameters.
        Preset(
            name="original",
            encoder_filters=(128, 256, 512, 1024),
            bottleneck=1024,
            code_filters=1024,
            shared_filters=512,
            decoder_filters=(256, 128, 64),
            batch_size=64,
        ),
        # For a CPU: a network 50 times cheaper a picture.
        Preset(name="lite", size=144, decoder_filters=(64, 32), residual=(1, 0), **_LITE),
        # lite's network, generating more pixels: the encoder reads as many as before, since details hardly tell it
        # anything, and every weight that fits starts from lite's prior.
        Preset(name="hd128", size=192, feature_grid=24, decoder_filters=(64, 32), residual=(1, 0), **_LARGER),
        Preset(
            name="hd256",
            size=384,
            feature_grid=24,
            decoder_filters=(64, 32, 16),
            residual=(1, 0, 0),
            **_LARGER,
        ),
        Preset(
            name="hd512",
            size=768,
            feature_grid=24,
            decoder_filters=(64, 32, 32, 16),
            residual=(1, 0, 1, 0),
            **_LARGER,
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in PRESETS:
        raise SettingsError(f"There is no preset {name!r}", f"choose one of: {', '.join(PRESETS)}")
    return PRESETS[name]
