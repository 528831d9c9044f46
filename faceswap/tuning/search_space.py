"""The search space as data: which fields of a preset may vary, between which bounds.

A space is a built-in name, a JSON or YAML file or a form; ``Preset.with_`` decides what it accepts.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from faceswap.errors import SettingsError
from faceswap.files.atomic import write_text
from faceswap.model.presets import Preset

Value = int | float | str
"""What Keras-Tuner handles; tuples and booleans of a choice travel as JSON text."""


class _Dimension(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str = Field(
        pattern=r"^[a-z]\w*(\.[a-z]\w*)?$", description="field of the preset: bottleneck, loss.dssim"
    )
    unit: str = Field("", description="unit of the bounds, for tables and plots")
    description: str = Field("", description="what it changes")


class IntRange(_Dimension):
    """Whole numbers from ``low`` to ``high``, both included."""

    kind: Literal["int"] = "int"
    low: int = Field(description="smallest value that is tried")
    high: int = Field(description="largest value that is tried")
    log: bool = Field(False, description="spread by ratio, not by difference")
    step: int | None = Field(None, ge=1, description="distance between values; with log: their ratio")

    @model_validator(mode="after")
    def _ordered(self) -> "IntRange":
        _check_range(self.low, self.high, self.log, self.step)
        return self

    def spread(self, count: int) -> list[int]:
        """At most ``count`` different values from low to high, evenly spread, rising."""
        return sorted({round(v) for v in _spread(self.low, self.high, self.log, self.step, count)})

    def nearest(self, value: Any) -> int:
        """The value of the range that is nearest to ``value``."""
        return round(_nearest(self.low, self.high, self.log, self.step, float(value)))

    def decode(self, value: Any) -> int:
        """The preset's value."""
        return int(value)


class FloatRange(_Dimension):
    """Numbers from ``low`` to ``high``."""

    kind: Literal["float"] = "float"
    low: float = Field(description="smallest value that is tried")
    high: float = Field(description="largest value that is tried")
    log: bool = Field(False, description="spread by ratio, not by difference")
    step: float | None = Field(None, gt=0, description="distance between values; with log: their ratio")

    @model_validator(mode="after")
    def _ordered(self) -> "FloatRange":
        _check_range(self.low, self.high, self.log, self.step)
        return self

    def spread(self, count: int) -> list[float]:
        """At most ``count`` different values from low to high, evenly spread, rising."""
        return sorted(set(_spread(self.low, self.high, self.log, self.step, count)))

    def nearest(self, value: Any) -> float:
        """The value of the range that is nearest to ``value``."""
        return _nearest(self.low, self.high, self.log, self.step, float(value))

    def decode(self, value: Any) -> float:
        """The preset's value."""
        return float(value)


class Choice(_Dimension):
    """One of several values: numbers, words, switches or lists (filters)."""

    kind: Literal["choice"] = "choice"
    values: list[Any] = Field(min_length=1, description="in the order in which they resemble each other")

    @model_validator(mode="after")
    def _different(self) -> "Choice":
        if len({json.dumps(v) for v in self.values}) < len(self.values):
            raise ValueError("a value is given twice")
        return self

    @property
    def encoded(self) -> list[Value]:
        """The values as Keras-Tuner takes them: all whole numbers, all numbers, or JSON text."""
        if all(type(v) is int for v in self.values):
            return list(self.values)
        if all(type(v) in {int, float} for v in self.values):
            return [float(v) for v in self.values]
        return [json.dumps(v) for v in self.values]

    def spread(self, count: int) -> list[Value]:
        """At most ``count`` of the encoded values, evenly spread, in their order."""
        values = self.encoded
        if count >= len(values):
            return values
        return [values[round(i * (len(values) - 1) / max(1, count - 1))] for i in range(count)]

    def nearest(self, value: Any) -> Value:
        """The encoded value that equals ``value``, else the first."""
        same = json.dumps(list(value) if isinstance(value, tuple) else value)
        plain = [json.dumps(v) for v in self.values]
        return self.encoded[plain.index(same) if same in plain else 0]

    def decode(self, value: Any) -> Any:
        """The preset's value."""
        return self.values[self.encoded.index(value)]


Dimension = Annotated[IntRange | FloatRange | Choice, Field(discriminator="kind")]


class SearchSpace(BaseModel):
    """The dimensions; the first is the question, the others are what else may matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    sweep: int = Field(
        4,
        ge=0,
        description="values of the first dimension that are tried first, all else as the preset has it",
    )

    @model_validator(mode="after")
    def _different(self) -> "SearchSpace":
        fields = [d.field for d in self.dimensions]
        if len(set(fields)) < len(fields):
            raise ValueError(f"a field is given twice: {', '.join(fields)}")
        return self

    def check(self, preset: Preset) -> None:
        """Make sure that the preset takes each dimension's extreme values.

        Raises:
            SettingsError: a field does not exist, or a bound is out of its limits.
        """
        for dimension in self.dimensions:
            ends = (
                dimension.spread(len(dimension.values))
                if isinstance(dimension, Choice)
                else dimension.spread(2)
            )
            for value in ends:
                preset.with_(**self.changes({dimension.field: value}))

    def changes(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """What ``Preset.with_`` takes: ``{"loss.dssim": 1}`` becomes ``{"loss": {"dssim": 1}}``."""
        found: dict[str, Any] = {}
        for dimension in self.dimensions:
            if dimension.field in values:
                value = dimension.decode(values[dimension.field])
                head, _, tail = dimension.field.partition(".")
                if tail:
                    found.setdefault(head, {})[tail] = value
                else:
                    found[head] = value
        return found

    def first_points(self, preset: Preset) -> list[dict[str, Value]]:
        """The sweep: the first dimension spread over its range, the others as near to the preset as they can be."""
        own: dict[str, Value] = {}
        for dimension in self.dimensions:
            head, _, tail = dimension.field.partition(".")
            value = getattr(preset, head)
            own[dimension.field] = dimension.nearest(getattr(value, tail) if tail else value)
        first = self.dimensions[0]
        return [{**own, first.field: value} for value in first.spread(self.sweep)]

    def extended(self, dimensions: tuple[Dimension, ...]) -> "SearchSpace":
        """With more dimensions; one of the same field replaces the old one."""
        new = {d.field: d for d in self.dimensions} | {d.field: d for d in dimensions}
        return SearchSpace(dimensions=tuple(new.values()), sweep=self.sweep)

    def save(self, path: Path) -> None:
        """Write it as YAML or, by the ending ``.json``, as JSON: a file to edit."""
        values = self.model_dump(mode="json", exclude_defaults=False, exclude_none=True)
        text = json.dumps(values, indent=1) if path.suffix == ".json" else yaml.safe_dump(values)
        write_text(path, text)


def _check_range(low: float, high: float, log: bool, step: float | None) -> None:
    if not low < high:
        raise ValueError(f"low {low} must be below high {high}")
    if log and low <= 0:
        raise ValueError(f"log needs a low above 0, not {low}")
    if log and step is not None and step <= 1:
        raise ValueError(f"with log, step is a ratio above 1, not {step}")


def _steps(low: float, high: float, log: bool, step: float) -> int:
    """Number of steps that fit between low and high."""
    steps = math.log(high / low) / math.log(step) if log else (high - low) / step
    return math.floor(steps + 1e-8)


def _at(low: float, log: bool, step: float, index: int) -> float:
    return low * step**index if log else low + index * step


def _spread(low: float, high: float, log: bool, step: float | None, count: int) -> list[float]:
    shares = [i / max(1, count - 1) for i in range(count)]
    if step is not None:
        steps = _steps(low, high, log, step)
        return [_at(low, log, step, round(share * steps)) for share in shares]
    if log:
        return [low * (high / low) ** share for share in shares]
    return [low + share * (high - low) for share in shares]


def _nearest(low: float, high: float, log: bool, step: float | None, value: float) -> float:
    value = min(max(value, low), high)
    if step is None:
        return value
    steps = math.log(value / low) / math.log(step) if log else (value - low) / step
    return _at(low, log, step, min(round(steps), _steps(low, high, log, step)))


_BOTTLENECK = IntRange(
    field="bottleneck", low=16, high=1024, log=True, step=2, unit="numbers", description="width of the code"
)
_WIDTHS = (
    Choice(
        field="encoder_filters",
        values=[[16, 32, 64, 128], [24, 48, 96, 192], [32, 64, 128, 256], [48, 96, 192, 384]],
        unit="filters",
        description="widths of the encoder",
    ),
    Choice(
        field="decoder_filters",
        values=[[32, 16], [48, 24], [64, 32], [96, 48]],
        unit="filters",
        description="widths of the decoders",
    ),
)
_TRAINING = (
    FloatRange(field="learning_rate", low=1e-4, high=3e-3, log=True, description="Adam's peak rate"),
    IntRange(field="batch_size", low=2, high=32, log=True, step=2, unit="pairs of each identity"),
    FloatRange(field="loss.dssim", low=0, high=2, step=0.25, description="weight of the structure"),
    FloatRange(field="loss.gradient", low=0, high=3, step=0.5, description="weight of the edges"),
    FloatRange(field="augmentation.warp", low=0.02, high=0.14, step=0.02, unit="sides of the crop"),
)

SPACES: dict[str, SearchSpace] = {
    "bottleneck": SearchSpace(dimensions=(_BOTTLENECK,)),
    "widths": SearchSpace(dimensions=(_BOTTLENECK, *_WIDTHS)),
    "everything": SearchSpace(dimensions=(_BOTTLENECK, *_WIDTHS, *_TRAINING)),
}
"""For the preset lite: widths are of networks with four and two stages."""


def load_space(name: str) -> SearchSpace:
    """The built-in space of that name, or the one in a JSON or YAML file.

    Raises:
        SettingsError: there is no such name or file, or the file holds no space.
    """
    if name in SPACES:
        return SPACES[name]
    path = Path(name)
    try:
        values = yaml.safe_load(path.read_text())  # JSON is YAML
        return SearchSpace.model_validate(values)
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no search space {name!r}", f"name a file or one of: {', '.join(SPACES)}"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SettingsError(
            f"{path} holds no search space: {where}: {first['msg']}",
            "write a list `dimensions` with field, kind (int, float, choice) and low, high or values",
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"The search space {path} can't be read: {error}", "correct the file") from error
