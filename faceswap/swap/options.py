"""How a swap is put into the picture: every choice a user has, as one frozen model that forms are made of."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from faceswap.faces.finding.turn import Turn

Mask = Literal["extended_hull", "hull", "hull_rect", "ellipse", "rect"]
Outline = Literal["generated", "target"]
Colour = Literal["light", "skin", "none"]
Occlusion = Literal["none", "learned"]
Feature = Literal["eyes", "mouth"]
Glasses = Literal["keep", "remove"]


class SwapOptions(BaseModel):
    """Mask, colour, detail, label and the choice of faces. Lengths are in face heights (brows to lower lip)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask: Mask = Field(
        "extended_hull",
        description="which part of the face is replaced: hull follows jaw and brows, extended_hull also takes "
        "the forehead, ellipse is an oval, rect the network's whole square, hull_rect what lies in both hull and "
        "rect; each ends where the network's crop ends",
    )
    forehead: float = Field(
        0.4,
        ge=0,
        le=0.7,
        description="how far the extended hull reaches above all brows, in face heights: the hairline lies at about "
        "0.6. Its upper half fades. With versions from before networks saw whole faces it ends at about 0.07",
    )
    outline: Outline = Field(
        "generated",
        description="where the hulls end: generated at the face that the network generated, so that the reference's "
        "collar and hair stay out, and a little beyond the target's at most; target at the target's face",
        json_schema_extra={"earlier_names": ["drawn"]},
    )
    reshape: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how far the target's jaw and cheeks, and less and less what surrounds them, move to the outline "
        "of the generated face; 0: the target's head keeps its shape. Needs outline generated",
    )
    lips: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how much of the difference between the generated lips' gap and the target's is taken away, by "
        "moving the generated lips; 0: they stay as the network made them",
    )
    lids: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how far the generated eyes shut where the target's are shut; 0: they stay as the network "
        "made them",
    )
    eyes: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how much of the target's own eyeballs is seen between the generated lids, in the colour of the "
        "reference's irises: they look where it looks; 0: they stay as the network made them",
    )
    teeth: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how much of the target's own teeth and tongue is seen between the generated lips; 0: they stay as "
        "the network made them",
    )
    hairline: float = Field(
        1.0,
        ge=0,
        le=1,
        description="how far what the network generated besides the reference's face, hair, collar and "
        "background, is kept out of the swap; 0: it stays. Needs outline generated",
    )
    glasses: Glasses = Field(
        "keep",
        description="the reference's glasses: keep, or remove (painted out with skin); needs a hairline above 0",
    )
    erosion: float = Field(
        -0.015, ge=-0.2, le=0.3, description="how far the mask is shrunk (below 0: grown), in face heights"
    )
    feather: float = Field(
        0.06,
        ge=0,
        le=0.5,
        description="width of the soft edge, inwards from the mask's border, in face heights",
    )
    protect: tuple[Feature, ...] = Field(
        (), description="parts that keep the target's own pixels: eyes, mouth"
    )
    occlusion: Occlusion = Field(
        "learned",
        description="what lies over the face keeps the target's pixels: learned finds hands, glasses, hair and objects "
        "by a small network; none: the swap covers them",
    )
    colour: Colour = Field(
        "light",
        description="fit the swap's colours to the target's skin: light (brightness and tint as they change over the "
        "face, which teeth and eyes hardly take), skin (the same change all over the face), none",
    )
    colour_strength: float = Field(
        1.0, ge=0, le=1, description="share of the colour transfer that is applied"
    )
    colour_memory: float = Field(
        0.4,
        ge=0,
        le=5,
        description="video: seconds over which the colour transfer is smoothed; 0: each frame alone",
    )
    detail: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the fine detail of the reference's photos, pores, single hairs, edges, that the swap "
        "gets where the network does not generate it",
    )
    sharpen: float = Field(
        0.5,
        ge=0,
        le=3,
        description="unsharp mask on the network's output, which is softer than a photo, where it gets no detail of "
        "photos; 1: as much detail as the reference's photos have, which looks drawn; 0: leave it as it is",
    )
    match_blur: bool = Field(
        True, description="blur the swap where the target's face is out of focus, so that it is not crisper"
    )
    texture: float = Field(
        1.0,
        ge=0,
        le=2,
        description="share of the target's pores and noise that the swap gets, finer than what the network generates",
    )
    min_face: int = Field(
        30, ge=4, le=4096, description="faces less high than this (brows to lower lip, px) are left alone"
    )
    max_faces: int = Field(
        16, ge=1, le=256, description="at most so many faces of a frame are swapped, largest first"
    )
    max_yaw: float = Field(
        80.0,
        gt=0,
        le=90,
        description="faces turned further to a side than this, degrees, are left alone; 90: none",
    )
    min_score: float = Field(
        0.0,
        ge=-1,
        le=5,
        description="faces of which the detector is less sure are left alone; most score from 0.5 on",
    )
    match_threshold: float = Field(
        0.6,
        gt=0,
        le=1.5,
        description="largest embedding distance at which a face counts as the chosen person",
    )
    turn: Turn = Field(
        "auto",
        description="degrees by which the target is turned clockwise to look for faces, if heads lie on their side or "
        "upside down; auto: as it is, and in the other ways where that shows none. The result lies as the target does",
    )
    steady: bool = Field(
        True, description="video: smooth the landmarks over time, so that the face does not tremble"
    )
    watermark: bool = Field(
        True,
        description="put a mark into the pixels of pictures and frames with a swapped face, all over, by which "
        "`faceswap verify` knows them without their metadata; without it, pixels outside of the face stay as they were",
    )
    label: bool = Field(True, description="write a visible label on the result")
    label_text: str = Field(
        "AI-GENERATED FACE", min_length=1, max_length=80, description="text of the visible label"
    )

    @field_validator("outline", mode="before")
    @classmethod
    def _earlier_name(cls, value: object) -> object:
        """``drawn`` is what ``generated`` was called in results that were stored by earlier versions."""
        return "generated" if value == "drawn" else value

    @field_validator("glasses", mode="before")
    @classmethod
    def _no_longer_told_apart(cls, value: object) -> object:
        """``auto`` removed thin rims, which networks generate in pieces, before photos' fine detail made them whole."""
        return "keep" if value == "auto" else value
