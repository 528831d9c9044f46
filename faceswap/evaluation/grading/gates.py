"""What a version has to reach before it may go to production: pure data, pure functions.

A gate asks for a number twice: it has to be good enough by itself, and not worse than the champion's by more than a
margin. A number that is missing, NaN or infinite never passes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from faceswap.errors import SettingsError
from faceswap.evaluation.grading.measures import BY_KEY, MEASURES

Outcome = Literal["passed", "refused", "overridden", "declined"]
Values = Mapping[str, float | None]
_MEASURED = tuple(measure.key for measure in MEASURES)
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
        if self.metric not in _MEASURED:
            raise ValueError(f"a promotion measures no {self.metric!r}, only {', '.join(_MEASURED)}")
        return self

    @property
    def limit(self) -> str:
        """The limit in words: ``at most 0.6``."""
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"

    @property
    def allowance(self) -> str:
        """How much worse than the champion it may be, in words."""
        return "–" if self.margin is None else f"{self.margin:g} worse"

    def check(self, challenger: Values, champion: Values | None, frames: int | None = None) -> "Check":
        """Hold the numbers of challenger and champion against the gate.

        Args:
            challenger, champion: metric -> number; None where there is no champion.
            frames: that the numbers stand on; a number on fewer than its measure takes counts as missing.
        """
        few = frames is not None and frames < BY_KEY[self.metric].minimum_frames
        value, reference = None if few else _number(challenger, self.metric), None
        if champion is not None and not few:
            reference = _number(champion, self.metric)
        compare = champion is not None and self.margin is not None
        reason = self._refusal(value, reference, compare, frames)
        return Check(
            gate=self,
            challenger=value,
            champion=reference,
            reason=reason,
            spare=self._spare(value, reference if compare else None),
        )

    @property
    def _sign_and_limit(self) -> tuple[int, float]:
        if self.at_most is not None:
            return 1, self.at_most
        assert self.at_least is not None  # _one_limit has seen to it
        return -1, self.at_least

    def _spare(self, value: float | None, champion: float | None) -> float | None:
        if value is None:
            return None
        sign, limit = self._sign_and_limit
        room = sign * (limit - value)
        if champion is not None and self.margin is not None:
            room = min(room, self.margin - sign * (value - champion))
        return 0.0 if math.isclose(room, 0, abs_tol=1e-9) else room

    def _refusal(self, value: float | None, champion: float | None, compare: bool, frames: int | None) -> str:
        if value is None:
            why = "a missing one does not pass"
            if frames is not None and frames < BY_KEY[self.metric].minimum_frames:
                why = f"{BY_KEY[self.metric].missing(frames)} (--frames, or more held-out material)"
            return f"{self.metric}: the challenger has no number: {why}"
        sign, limit = self._sign_and_limit
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
    spare: float | None = Field(
        None,
        description="how much worse the number could be and still pass, by limit and champion; below 0: it fails "
        "by so much",
    )

    @property
    def passed(self) -> bool:
        """True where nothing speaks against it."""
        return not self.reason

    @property
    def verdict(self) -> str:
        """The outcome in words: ``pass, 0.12 to spare``."""
        if self.passed:
            return f"pass, {self.spare:.2g} to spare"
        return f"fail by {-self.spare:.2g}" if self.spare is not None and self.spare < 0 else "fail"


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
            "| gate | limit | against the champion | challenger | champion | verdict |",
            "|---|---|---|---|---|---|",
        ]
        for check in self.table:
            numbers = " | ".join(
                "–" if value is None else f"{value:.4g}" for value in (check.challenger, check.champion)
            )
            verdict = check.verdict if check.passed else f"**{check.verdict}**"
            gate = check.gate
            lines.append(f"| {gate.metric} | {gate.limit} | {gate.allowance} | {numbers} | {verdict} |")
        return "\n".join(lines)


DEFAULT_GATES = tuple(
    Gate(
        metric=measure.key,
        at_least=measure.gate if measure.higher_is_better else None,
        at_most=None if measure.higher_is_better else measure.gate,
        margin=measure.margin,
    )
    for measure in MEASURES
    if measure.gate is not None
)
"""Those of the table of measures. Same person as face recognition sees it (0.6), recognised nearly always, lips that
follow, no grey blur, the target's pose. The margins leave room for what two trainings by the same recipe differ by;
sharpness varies most, and a network that has hardly trained gets much of it from noise."""


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
    gates: Sequence[Gate],
    challenger: Values,
    champion: Values | None,
    override: str | None = None,
    frames: int | None = None,
) -> Decision:
    """Let the gates decide.

    Args:
        gates: all of them have to pass.
        challenger, champion: metric -> number, measured on the same frames; no champion: only the limits count.
        override: why a version goes to production even if a gate refuses; it is recorded with the refusals.
        frames: that the numbers stand on, of each target.

    Raises:
        SettingsError: there is no gate, or the override gives no reason.
    """
    if not gates:
        raise SettingsError("There is no gate, so everything would pass", "give at least one")
    check_override(override)
    table = tuple(gate.check(challenger, champion, frames) for gate in gates)
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
