"""What a version has to reach before it may go to production: pure data, pure functions.

A gate asks for a number twice: it has to be good enough by itself, and not worse than the champion's by more than a
margin. A number that is missing, NaN or infinite never passes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from faceswap.errors import SettingsError
from faceswap.evaluation.result import PairResult

Outcome = Literal["passed", "refused", "overridden", "declined"]
Values = Mapping[str, float | None]
_MEASURES = tuple(name for name, field in PairResult.model_fields.items() if field.annotation is float)
"""What every promotion has a number for: not the truth, which real people have none of, nor the count of frames."""


class Gate(BaseModel):
    """A limit for one metric, and how much worse than the champion it may be."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: str = Field(description="a number of the evaluation, by its name in report.json")
    at_most: float | None = Field(None, description="largest good value; lower is better")
    at_least: float | None = Field(None, description="smallest good value; higher is better")
    margin: float | None = Field(
        None,
        ge=0,
        description="how much worse than the champion is allowed, in the metric's unit; empty: not compared",
    )

    @model_validator(mode="after")
    def _one_limit(self) -> "Gate":
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f"gate {self.metric!r} needs one of at_most, at_least")
        if self.metric not in _MEASURES:
            raise ValueError(f"a promotion measures no {self.metric!r}, only {', '.join(_MEASURES)}")
        return self

    @property
    def limit(self) -> str:
        """The limit in words: ``at most 0.6``."""
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"

    def check(self, challenger: Values, champion: Values | None) -> "Check":
        """Hold the numbers of challenger and champion against the gate; None where there is no champion."""
        value, reference = _number(challenger, self.metric), None
        if champion is not None:
            reference = _number(champion, self.metric)
        reason = self._refusal(value, reference, champion is not None and self.margin is not None)
        return Check(gate=self, challenger=value, champion=reference, reason=reason)

    def _refusal(self, value: float | None, champion: float | None, compare: bool) -> str:
        if value is None:
            return f"{self.metric}: the challenger has no number, and a missing one does not pass"
        sign, limit = (1, self.at_most) if self.at_most is not None else (-1, self.at_least)
        assert limit is not None
        if sign * value > sign * limit:
            return f"{self.metric}: {value:.4g}, has to be {self.limit}"
        if not compare or self.margin is None:
            return ""
        if champion is None:
            return f"{self.metric}: the champion has no number to compare with"
        worse = sign * (value - champion)
        if worse > self.margin and not math.isclose(worse, self.margin, abs_tol=1e-9):
            return (
                f"{self.metric}: {value:.4g} is {worse:.4g} worse than the champion's {champion:.4g}, "
                f"allowed are {self.margin:g}"
            )
        return ""


class Check(BaseModel):
    """A gate with the numbers that were held against it."""

    model_config = ConfigDict(frozen=True)

    gate: Gate
    challenger: float | None = Field(description="None: there is no finite number")
    champion: float | None = Field(description="None: there is no champion, or no finite number")
    reason: str = Field(description="why it does not pass; empty: it does")

    @property
    def passed(self) -> bool:
        """True where nothing speaks against it."""
        return not self.reason


class Decision(BaseModel):
    """What the gates say, and what people made of it."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reasons: tuple[str, ...] = Field(description="the refusals, one a gate, and what people said")
    table: tuple[Check, ...]
    override: str = Field("", description="why it goes to production against the gates")

    @property
    def allowed(self) -> bool:
        """True where the version may go to production."""
        return self.outcome in {"passed", "overridden"}

    def declined(self, reason: str) -> "Decision":
        """The same, but a person said no."""
        return self.model_copy(update={"outcome": "declined", "reasons": (*self.reasons, reason)})

    def approved(self, reason: str) -> "Decision":
        """The same, and a person said yes."""
        return self.model_copy(update={"reasons": (*self.reasons, reason)})

    def markdown(self) -> str:
        """The table of the gates."""
        lines = [
            "| gate | limit | margin to champion | challenger | champion | verdict |",
            "|---|---|---|---|---|---|",
        ]
        for check in self.table:
            margin = "–" if check.gate.margin is None else f"{check.gate.margin:g}"
            numbers = " | ".join(
                "–" if value is None else f"{value:.4g}" for value in (check.challenger, check.champion)
            )
            verdict = "pass" if check.passed else "**fail**"
            lines.append(f"| {check.gate.metric} | {check.gate.limit} | {margin} | {numbers} | {verdict} |")
        return "\n".join(lines)


DEFAULT_GATES = (
    Gate(metric="identity_distance", at_most=0.6, margin=0.03),
    Gate(metric="identity_top1", at_least=0.9, margin=0.05),
    Gate(metric="lip_gap_correlation", at_least=0.3, margin=0.1),
    Gate(metric="sharpness", at_least=0.05, margin=0.2),
    Gate(metric="pose_error_degrees", at_most=10, margin=1.5),
)
"""Same person as face recognition sees it (0.6), recognised nearly always, lips that follow, no grey blur, the
target's pose. The margins leave room for what two trainings by the same recipe differ by; sharpness varies most, and
a network that has hardly trained gets much of it from noise."""


def gates_from(text: str) -> tuple[Gate, ...]:
    """The gates of ``FACESWAP_GATES``; the defaults where it is empty.

    Raises:
        SettingsError: it is not JSON, empty, names an unknown metric or lacks a limit.
    """
    if not text.strip():
        return DEFAULT_GATES
    fix = 'write a list such as [{"metric": "identity_distance", "at_most": 0.6, "margin": 0.03}]'
    try:
        gates = TypeAdapter(tuple[Gate, ...]).validate_json(text)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors())
        raise SettingsError(f"FACESWAP_GATES can't be used: {said}", fix) from error
    if not gates:
        raise SettingsError("FACESWAP_GATES has no gate, so everything would pass", fix)
    return gates


def decide(
    gates: Sequence[Gate], challenger: Values, champion: Values | None, override: str | None = None
) -> Decision:
    """Let the gates decide.

    Args:
        gates: all of them have to pass.
        challenger, champion: metric -> number, measured on the same frames; no champion: only the limits count.
        override: why a version goes to production even if a gate refuses; it is recorded with the refusals.

    Raises:
        SettingsError: there is no gate, or the override gives no reason.
    """
    if not gates:
        raise SettingsError("There is no gate, so everything would pass", "give at least one")
    if override is not None and not override.strip():
        raise SettingsError(
            "An override needs a reason", 'write --override "why the gates do not matter here"'
        )
    table = tuple(gate.check(challenger, champion) for gate in gates)
    reasons = tuple(check.reason for check in table if not check.passed)
    if not reasons:
        return Decision(outcome="passed", reasons=(), table=table)
    if override is None:
        return Decision(outcome="refused", reasons=reasons, table=table)
    return Decision(outcome="overridden", reasons=reasons, table=table, override=" ".join(override.split()))


def check_override(override: str | None) -> None:
    """An override has a reason.

    Raises:
        SettingsError: it has none.
    """
    if override is not None and not override.strip():
        raise SettingsError(
            "An override needs a reason", 'write --override "why the gates do not matter here"'
        )


def _number(values: Values, metric: str) -> float | None:
    value = values.get(metric)
    return float(value) if value is not None and math.isfinite(value) else None
