"""How the face is put in: the swap's options as a form, folded away until somebody wants them, in every tab.

The form is made from :class:`SwapOptions`, field by field, so that it offers what the command line offers, under the
same names.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import gradio as gr

from faceswap.swap.options import SwapOptions
from serving import html as words

GROUPS: dict[str, tuple[str, ...]] = {
    "Mask": ("mask", "forehead", "outline", "erosion", "feather", "protect", "occlusion"),
    "Shape": ("reshape", "lips", "lids", "eyes", "teeth", "hairline", "glasses"),
    "Colours and detail": ("colour", "colour_strength", "detail", "sharpen", "match_blur", "texture"),
    "Which faces": ("min_face", "max_faces", "max_yaw", "min_score", "match_threshold", "turn"),
    "Over time": ("colour_memory", "steady"),
}
"""Every option that users of the app choose, in the order of the form."""
VIDEO_ONLY = frozenset({"match_threshold", "colour_memory", "steady", "turn"})
"""What changes nothing on one picture (which is turned as its faces want it): the form of those tabs leaves it out."""
_STEPS = {
    "forehead": 0.01,
    "erosion": 0.005,
    "feather": 0.01,
    "detail": 0.1,
    "sharpen": 0.1,
    "texture": 0.1,
    "min_face": 1,
    "max_faces": 1,
    "max_yaw": 1,
    "colour_memory": 0.1,
}
"""Where 0.05 would be too coarse or too fine; from where to where a slider goes is the model's to say."""
_REACH = {"min_face": 512, "max_faces": 64}
"""Where the model allows more than anybody drags a slider to."""


@dataclass(frozen=True)
class OptionsForm:
    """The form's components by the name of the field they set."""

    fields: dict[str, Any]

    @classmethod
    def build(cls, name: str, defaults: SwapOptions, without: Collection[str] = VIDEO_ONLY) -> "OptionsForm":
        """Lay the form out.

        Args:
            name: of the tab; part of the elements' names.
            defaults: what the form shows first, and what holds for fields that it does not show.
            without: fields that it does not show.
        """
        fields: dict[str, Any] = {}
        with gr.Accordion("Options: mask, colours, detail", open=False, elem_id=f"{name}-options"):
            for group, members in GROUPS.items():
                if not set(members) <= set(without):
                    gr.HTML(words.group(group), padding=False)
                fields |= {key: _component(name, key, defaults) for key in members if key not in without}
        return cls(fields)

    @property
    def inputs(self) -> list[Any]:
        """The components, in the order in which :meth:`chosen` takes their values."""
        return list(self.fields.values())

    def changes(self) -> list[Any]:
        """The events after which the swap has to be made anew: a slider's when it is let go."""
        return [c.release if isinstance(c, gr.Slider) else c.input for c in self.inputs]

    def chosen(self, defaults: SwapOptions, values: Sequence[Any]) -> SwapOptions:
        """The options that the form's values make of the defaults."""
        made = dict(zip(self.fields, values, strict=True))
        return SwapOptions.model_validate({**defaults.model_dump(), **made})


def _component(name: str, key: str, defaults: SwapOptions) -> Any:
    """What sets one field: its kind follows from the field's type."""
    info = SwapOptions.model_fields[key]
    said: dict[str, Any] = {
        "label": key.replace("_", " ").capitalize(),
        "info": info.description,
        "value": getattr(defaults, key),
        "elem_id": f"{name}-{key}",
    }
    if get_origin(info.annotation) is Literal:
        return gr.Dropdown(choices=list(get_args(info.annotation)), **said)
    if get_origin(info.annotation) is tuple:
        choices = list(get_args(get_args(info.annotation)[0]))
        return gr.CheckboxGroup(choices=choices, **{**said, "value": list(said["value"])})
    if info.annotation is bool:
        return gr.Checkbox(**said)
    limits = SwapOptions.model_json_schema()["properties"][key]
    step = _STEPS.get(key, 0.05)
    least = limits.get("minimum", limits.get("exclusiveMinimum", 0) + step)
    return gr.Slider(least, _REACH.get(key, limits["maximum"]), step=step, **said)
