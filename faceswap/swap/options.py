"""How a swap is put into the picture: every choice a user has, as one frozen model that forms are made of."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Mask = Literal["hull", "ellipse", "rect"]
Colour = Literal["none", "mean", "reinhard"]


class SwapOptions(BaseModel):
    """Mask, colour, label and the choice of faces. Lengths are in face heights (brows to lower lip)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask: Mask = Field(
        "hull",
        description="which part of the face is replaced: hull follows jaw and brows, ellipse is an oval, "
        "rect the network's whole square; each ends where the network's crop ends",
    )
    forehead: float = Field(
        0.25, ge=0, le=0.5, description="how far the hull reaches above the brows, in face heights"
    )
    erosion: float = Field(
        0.04, ge=-0.2, le=0.3, description="how far the mask is shrunk (below 0: grown), in face heights"
    )
    feather: float = Field(
        0.14,
        ge=0,
        le=0.5,
        description="width of the soft edge, inwards from the mask's border, in face heights",
    )
    colour: Colour = Field(
        "reinhard",
        description="fit the swap's colours to the target's skin: none, mean (brightness and tint), "
        "reinhard (also contrast)",
    )
    colour_strength: float = Field(
        1.0, ge=0, le=1, description="share of the colour transfer that is applied"
    )
    sharpen: float = Field(
        0.8,
        ge=0,
        le=3,
        description="unsharp mask on the network's output, which is softer than a photo; 0: leave it as it is",
    )
    min_face: int = Field(
        16, ge=4, le=4096, description="faces less high than this (brows to lower lip, px) are left alone"
    )
    max_faces: int = Field(
        16, ge=1, le=256, description="at most so many faces of a frame are swapped, largest first"
    )
    match_threshold: float = Field(
        0.6,
        gt=0,
        le=1.5,
        description="largest embedding distance at which a face counts as the chosen person",
    )
    steady: bool = Field(True, description="video: smooth the landmarks over time, so that the face is calm")
    label: bool = Field(True, description="write a visible label on the result")
    label_text: str = Field(
        "AI-GENERATED FACE", min_length=1, max_length=80, description="text of the visible label"
    )
