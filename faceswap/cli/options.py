"""Options of commands: choices with suggestions, paths below ``~``, and options made from the fields of a model."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer

from faceswap.errors import did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

Value = TypeVar("Value")


def presets() -> list[str]:
    """The names of the presets."""
    from faceswap.model.presets import PRESETS

    return list(PRESETS)


def cast_names() -> list[str]:
    """The names of the fictional people, without loading what renders them."""
    first = ["ada", "bram", "corin", "dalia", "emeric", "fenn"]
    return [*first, "greta", "hanne", "irma", "jonas", "kaia", "leni"]


def at_home(value: Value) -> Value:
    """A path, or a list of them, with ``~`` replaced by the home folder; shells leave ``--out=~/x`` as it is."""
    if isinstance(value, list):
        return [at_home(one) for one in value]  # type: ignore[return-value]
    if value is None or not str(value).startswith("~"):
        return value
    try:
        return type(value)(Path(str(value)).expanduser())  # type: ignore[call-arg]
    except RuntimeError:  # there is no such user
        return value


def one_of(known: Callable[[], Collection[str]]) -> Callable[[Any], Any]:
    """A callback for an option: its value, or each of its values, is one of those that are known."""

    def check(value: Any) -> Any:
        for word in value if isinstance(value, list) else [value]:
            if word is not None and word not in (names := known()):
                meant = did_you_mean(word, names)
                raise typer.BadParameter(
                    f"{word!r} is not one of {', '.join(names)}. {meant.capitalize()}".strip()
                )
        return value

    return check


@dataclass(frozen=True)
class Shown:
    """How a model's field shows on the command line.

    Attributes:
        help: what it is, in a few words; the choices and the default are added.
        panel: the group in the help.
        name: a shorter one, which the option has besides the field's.
    """

    help: str
    panel: str
    name: str = ""


def takes_fields_of(
    model: "type[BaseModel]", shown: Mapping[str, Shown]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command: it takes fields of the model as options, those that are given as keyword ``options``.

    Type, limits, choices and the default that the help shows are the model's.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        names = {field: how.name or field for field, how in shown.items()}

        @functools.wraps(command)
        def taking(**values: Any) -> None:
            given = {field: values.pop(name) for field, name in names.items()}
            command(**values, options={field: value for field, value in given.items() if value is not None})

        own = inspect.signature(command).parameters.values()
        made = [
            inspect.Parameter(
                names[field],
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=_option(model.model_fields[field], field, how),
            )
            for field, how in shown.items()
        ]
        kept = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own if one.name != "options"]
        taking.__signature__ = inspect.Signature([*kept, *made])  # type: ignore[attr-defined]
        taking.__annotations__ = {one.name: one.annotation for one in (*kept, *made)}
        return taking

    return decorate


def _option(field: "FieldInfo", name: str, how: Shown) -> Any:
    """The annotation of an option for a field: nothing is passed on unless it is given."""
    kinds = [one for one in get_args(field.annotation) or (field.annotation,) if one is not type(None)]
    kind: Any = field.annotation if get_origin(field.annotation) in {Literal, tuple} else kinds[0]
    several = get_origin(kind) is tuple
    choices = get_args(get_args(kind)[0] if several else kind)
    flags = [f"--{one.replace('_', '-')}" for one in dict.fromkeys((name, how.name or name))]
    flag, default = flags[0], field.get_default()
    extra = field.json_schema_extra
    earlier: Any = extra.get("earlier_names", ()) if isinstance(extra, dict) else ()
    common: dict[str, Any] = {"rich_help_panel": how.panel, "show_default": False}
    if choices:
        text = f"{how.help}: {', '.join(choices)}{'; repeatable' if several else ''}"
        return Annotated[
            list[str] | None if several else str | None,
            typer.Option(
                *flags,
                help=text + _shown(default),
                callback=one_of(lambda: (*choices, *earlier)),
                autocompletion=lambda: list(choices),
                metavar="NAME",
                **common,
            ),
        ]
    if kind is bool:
        both = f"{flag}/--no-{flag.removeprefix('--')}"
        return Annotated[bool | None, typer.Option(both, help=how.help + _shown(default), **common)]
    if kind is str:
        text = how.help + _shown(default)
        return Annotated[
            str | None, typer.Option(*flags, help=text, callback=at_home, metavar="TEXT", **common)
        ]
    least, most = (
        next((getattr(one, key) for one in field.metadata if hasattr(one, key)), None) for key in ("ge", "le")
    )
    return Annotated[
        kind | None,
        typer.Option(
            *flags, help=how.help + _shown(default), min=least, max=most, metavar="NUMBER", **common
        ),
    ]


def _shown(default: Any) -> str:
    """A default as Typer shows it, but in the same line; the bracket is escaped, since help is markup."""
    if default is None or default in ((), ""):
        return ""
    return rf" \[default: {({True: 'on', False: 'off'}[default]) if isinstance(default, bool) else _short(default)}]"


def _short(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
