"""What the commands share: errors in words, quiet imports, NAME=VALUE words."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from faceswap import backend
from faceswap.cli.options import at_home, one_of, presets
from faceswap.cli.quiet_imports import silence_imports
from faceswap.errors import ConsentError, FaceswapError, SettingsError, did_you_mean
from faceswap.evaluation.grading.measures import COLUMNS
from faceswap.files.disk import full_disk, is_full
from faceswap.output.console import LogLines, complain, err, remark
from faceswap.process.silence import silence

if TYPE_CHECKING:
    from pydantic import ValidationError

PresetOption = Annotated[
    str,
    typer.Option(
        help="architecture and recipe: original, lite, hd128, hd256, hd512",
        callback=one_of(presets),
        autocompletion=presets,
    ),
]
MachinesPreset = Annotated[
    str | None,
    typer.Option(
        help="architecture and recipe: original, lite, hd128, hd256, hd512; default: "
        f"{backend.LARGE_PRESET} where a GPU trains, else {backend.PATIENT_PRESET} from "
        f"{backend.PATIENT_MINUTES:g} minutes on, else {backend.SMALL_PRESET}",
        callback=one_of(presets),
        autocompletion=presets,
    ),
]
SHORT = {measure.key: measure.short for measure in COLUMNS}
"""What the columns of a table are called."""
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="of everything that is drawn by lot")]


@contextmanager
def spoken_errors(
    interrupted: str = "what was finished is kept, the same command goes on from there",
) -> Iterator[None]:
    """Errors meant for the user end the command with their message and notes; others keep their traceback.

    Args:
        interrupted: what Ctrl-C leaves.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", category=FutureWarning)
    err()  # the terminal is looked at now, before an import silences it
    silence_imports()
    try:
        _prepare()
        yield
    except FaceswapError as error:
        complain(type(error).__name__, str(error))
        _print_notes(error)
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, Exception) as error:
        stopped = _interrupt_behind(error)
        if stopped is not None:
            remark(f"\nInterrupted; {interrupted}.")
            _print_notes(stopped)
            raise typer.Exit(130) from error
        from pydantic import ValidationError

        if is_full(error):
            from faceswap.settings import settings

            complain("StorageError", f"{full_disk(settings().home_path)}; {interrupted}.")
            raise typer.Exit(1) from error
        if not isinstance(error, ValidationError):
            raise
        complain("SettingsError", "\n  ".join(_invalid(error)))
        raise typer.Exit(1) from error


def _prepare() -> None:
    """Set up logging, and work with the servers of ``faceswap up``."""
    from faceswap.output.redaction import redact_logs
    from faceswap.settings import settings

    redact_logs()
    lines = LogLines()
    lines.setFormatter(_log_format())
    lines.addFilter(_is_news)
    logging.basicConfig(level=settings().log_level, handlers=[lines])
    for noisy in ("httpx", "prefect", "mlflow", "alembic", "botocore", "absl", "matplotlib", "PIL", "jax"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    from faceswap.process.loopback import reach_loopback_directly
    from infra.environments import use_running_servers

    reach_loopback_directly()
    use_running_servers()


def _log_format() -> logging.Formatter:
    from faceswap.output.logs import JsonLines
    from faceswap.settings import settings

    if settings().log_format == "json":
        return JsonLines()
    return logging.Formatter("%(levelname)s %(name)s: %(message)s")


def _invalid(error: "ValidationError") -> Iterator[str]:
    """What is wrong with each field, and what was meant where the word is close to one that it may have."""
    for one in error.errors():
        name = ".".join(str(part) for part in one["loc"] if part != "options")
        expected = str(one.get("ctx", {}).get("expected", ""))
        meant = did_you_mean(str(one["input"]), expected.replace("'", "").replace(" or ", ", ").split(", "))
        yield f"{name}: {one['msg'].removeprefix('Value error, ')} (got {one['input']!r})" + (
            f"\n  → {meant}" if meant else ""
        )


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """The Ctrl-C that an error comes from: Prefect's client may raise another on its way."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", []):
        remark(f"  → {note}")


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Import jobs or flows: Prefect's log handlers exist after that, and ours takes their place on the terminal.

    Of an error that :func:`spoken_errors` tells, Prefect's would show a traceback (its UI still has it).
    """
    with silence():
        yield
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler).__name__ == "PrefectConsoleHandler":
            root.removeHandler(handler)
            lines = LogLines()
            lines.setFormatter(handler.formatter)
            lines.addFilter(_is_news)
            root.addHandler(lines)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record says what :func:`spoken_errors` will not: Prefect logs its errors twice, with a traceback."""
    if record.exc_info and isinstance(record.exc_info[1], FaceswapError):
        return False
    return not (record.name.startswith("prefect.") and "Finished in state Failed(" in record.getMessage())


def pairs(words: list[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` words as a dictionary; a path below ``~`` is one below the user's home folder.

    Raises:
        SettingsError: a word has no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name or not value:
            raise SettingsError(f"{word!r} is not NAME={what}", f"write for example ada={what.lower()}")
        if name in found:
            raise SettingsError(f"The name {name!r} is given twice", "every identity needs a name of its own")
        found[name] = at_home(value)
    return found


def consents(words: list[str], names: list[str]) -> dict[str, str]:
    """The consent statement of each name; a statement without a name holds for all."""
    general = [w for w in words if w.partition("=")[0] not in names]
    if len(general) > 1:
        raise SettingsError(
            "Several consents without a name are given", 'write --consent NAME="…" for each person'
        )
    found = dict.fromkeys(names, general[0]) if general else {}
    found |= {w.partition("=")[0]: w.partition("=")[2] for w in words if w not in general}
    for name in names:
        if not found.get(name, "").strip():
            raise ConsentError(
                f"No consent is recorded for {name!r}", f'add --consent {name}="what allows the use"'
            )
    return found
