"""What the commands share: the consoles, errors in words, NAME=VALUE words."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from faceswap import backend
from faceswap.errors import ConsentError, FaceswapError, SettingsError
from faceswap.model.presets import PRESETS
from faceswap.settings import settings
from infra.services import use_running_servers

console = Console()
errors = Console(stderr=True)
PresetOption = Annotated[str, typer.Option(help=f"architecture and recipe: {', '.join(PRESETS)}")]
MachinesPreset = Annotated[
    str | None,
    typer.Option(
        help=f"architecture and recipe: {', '.join(PRESETS)}; default: {backend.LARGE_PRESET} where a GPU trains, "
        f"else {backend.SMALL_PRESET}"
    ),
]
SHORT = {
    "identity_distance": "identity",
    "identity_top1": "top-1",
    "lip_gap_correlation": "lips",
    "pose_error_degrees": "pose °",
    "sharpness": "sharp",
    "reconstruction_ssim": "SSIM",
}
"""What the columns of a table are called."""
Seed = Annotated[int, typer.Option(min=0)]


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
    try:
        logging.basicConfig(level=settings().log_level, format="%(levelname)s %(name)s: %(message)s")
        for noisy in ("httpx", "prefect", "mlflow", "alembic", "botocore", "absl", "matplotlib", "PIL"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        use_running_servers()
        yield
    except FaceswapError as error:
        errors.print(f"[bold red]{type(error).__name__}[/]: {error}", highlight=False, soft_wrap=True)
        _print_notes(error)
        raise typer.Exit(1) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        errors.print("[bold red]SettingsError[/]: " + "\n  ".join(lines), highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, Exception) as error:
        stopped = _interrupt_behind(error)
        if stopped is None:
            raise
        errors.print(f"\nInterrupted; {interrupted}.", highlight=False, soft_wrap=True)
        _print_notes(stopped)
        raise typer.Exit(130) from error


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """The Ctrl-C that an error comes from: it reaches Prefect's temporary server too, which then does not answer."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


def _print_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", []):
        errors.print(f"  → {note}", highlight=False, soft_wrap=True)


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Import flows without chatter.

    TensorFlow 2.21 writes to the process's standard error while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says;
    an import that fails still raises. Prefect's log handlers exist after the import: of an error that
    :func:`spoken_errors` tells, they keep Prefect's traceback off the terminal (its UI still has it).
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], FaceswapError))


def preset_or_machines(name: str | None) -> str:
    """The preset that is named, else the one for this machine; where that is the GPU's, the terminal says so."""
    if name is None and backend.trains_on_gpu():
        console.print(
            f"A GPU trains: preset {backend.LARGE_PRESET}, since none is named "
            f"(--preset {backend.SMALL_PRESET} draws fewer pixels)"
        )
    return name or backend.preset_here()


def pairs(words: list[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` words as a dictionary.

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
        found[name] = value
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
