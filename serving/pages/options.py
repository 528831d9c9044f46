"""How the face is put in: the swap's options as a form, folded away until somebody wants them, in every tab."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from faceswap.swap.options import Colour, Feature, Mask, Occlusion, SwapOptions

_CHOICES: dict[str, tuple[str, ...]] = {
    "mask": get_args(Mask),
    "colour": get_args(Colour),
    "occlusion": get_args(Occlusion),
}
_STEPS = {
    "reshape": 0.05,
    "lips": 0.05,
    "lids": 0.05,
    "hairline": 0.05,
    "forehead": 0.01,
    "erosion": 0.005,
    "feather": 0.01,
    "colour_strength": 0.05,
    "sharpen": 0.1,
    "grain": 0.1,
}
"""The numbers that have a slider, and its step; from where to where it goes is the model's to say."""


@dataclass(frozen=True)
class OptionsForm:
    """The form's components by the name of the field they set."""

    fields: dict[str, Any]

    @classmethod
    def build(cls, name: str, defaults: SwapOptions) -> "OptionsForm":
        """Lay the form out.

        Args:
            name: of the tab; part of the elements' names.
            defaults: what the form shows first, and what holds for fields that it does not show.
        """
        fields: dict[str, Any] = {}

        def said(field: str) -> dict[str, Any]:
            info = SwapOptions.model_fields[field].description
            return {
                "label": field.replace("_", " ").capitalize(),
                "info": info,
                "value": getattr(defaults, field),
                "elem_id": f"{name}-{field}",
            }

        with gr.Accordion("Options: mask, colours, detail", open=False, elem_id=f"{name}-options"):
            for field, choices in _CHOICES.items():
                fields[field] = gr.Dropdown(choices=list(choices), **said(field))
            schema = SwapOptions.model_json_schema()["properties"]
            for field, step in _STEPS.items():
                limits = schema[field]["minimum"], schema[field]["maximum"]
                fields[field] = gr.Slider(*limits, step=step, **said(field))
            kept = said("protect")
            fields["protect"] = gr.CheckboxGroup(
                choices=list(get_args(Feature)), **{**kept, "value": list(kept["value"])}
            )
            fields["match_blur"] = gr.Checkbox(**said("match_blur"))
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
