"""What an installation needs, looked at one by one: finding and fix."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from faceswap.errors import FaceswapError
from faceswap.output.redaction import redacted
from faceswap.settings import settings
from infra.services import services

Grade = Literal["good", "warning", "bad"]
_LEAST_FREE, _LEAST_FREE_ON_CARD = 5e9, 2.4e9


@dataclass(frozen=True)
class Finding:
    """One check: ``bad`` means that something can't work, ``warning`` that it works less well."""

    what: str
    grade: Grade
    finding: str
    fix: str = ""


def examine() -> list[Finding]:
    """All checks, in the order in which one would repair things."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _bytecode,
        _folders,
        _face_sets,
        _video,
        _faces,
        _device,
        _swaps,
        _servers,
        _registry,
    )
    found: list[Finding] = []
    for check in checks:
        try:
            found += check()
        except FaceswapError as error:
            found.append(Finding(check.__name__.strip("_"), "bad", error.message, error.fix or ""))
    return found


def _python() -> Iterator[Finding]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    good = sys.version_info[:2] == (3, 11)
    yield Finding("Python", "good" if good else "bad", version, "" if good else "install Python 3.11")


def _packages() -> Iterator[Finding]:
    """Every pinned package is there in its pinned version."""
    wrong = []
    pins = [Requirement(line) for line in importlib.metadata.requires("faceswap") or []]
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    for pin in pins:
        try:
            installed = importlib.metadata.version(pin.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{pin.name} is missing")
            continue
        if not pin.specifier.contains(installed, prereleases=True):
            wrong.append(f"{pin.name} is {installed}, not {pin.specifier}")
    if wrong:
        yield Finding("packages", "bad", "; ".join(wrong), "install the pinned versions again: `uv sync`")
    else:
        yield Finding("packages", "good", f"{len(pins)} as pinned")


def _bytecode() -> Iterator[Finding]:
    """What is imported is compiled, or will be by the first command: else every command compiles it again."""
    spec = find_spec("tensorflow")
    if spec is None or spec.origin is None or Path(cache_from_source(spec.origin)).exists():
        return
    if sys.dont_write_bytecode or not os.access(Path(spec.origin).parent, os.W_OK):
        yield Finding(
            "bytecode",
            "warning",
            "the packages are not compiled and Python may not do it: every command takes twice as long to start",
            "`uv sync --compile-bytecode`",
        )


def _folders() -> Iterator[Finding]:
    own = settings()
    for what, folder in (("home", own.home_path), ("work", own.work_path), ("cache", own.cache_path)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"x")
        except OSError as error:
            fix = f"make it writable, or set FACESWAP_{what.upper()} to a folder that is"
            yield Finding(f"{what} folder", "bad", f"{folder} can't be written: {error.strerror}", fix)
            continue
        free = shutil.disk_usage(folder).free
        low = free < _LEAST_FREE
        yield Finding(
            f"{what} folder",
            "warning" if low else "good",
            f"{folder}, {free / 1e9:.0f} GB free",
            "make room: a training needs a few GB" if low else "",
        )


def _face_sets() -> Iterator[Finding]:
    from faceswap import storage

    root = settings().face_sets_root
    if not root.startswith("s3://"):
        return
    storage.list_files(root)
    yield Finding("face sets", "good", f"{root} answers")


def _video() -> Iterator[Finding]:
    import av

    missing = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    if missing:
        yield Finding(
            "video", "bad", f"PyAV has no {', '.join(missing)}", "install PyAV's own wheel: `uv sync`"
        )
    else:
        yield Finding("video", "good", f"PyAV {av.__version__} with H.264 and AAC")


def _faces() -> Iterator[Finding]:
    import dlib

    from faceswap.faces.finding.finder import load_models

    load_models(settings().detector)
    yield Finding(
        "face finder", "good", f"dlib {dlib.__version__} with its models; detector {settings().detector}"
    )
    if settings().detector == "cnn" and not dlib.DLIB_USE_CUDA:
        yield Finding(
            "face finder",
            "warning",
            "the cnn detector runs on the CPU: seconds a frame",
            "set FACESWAP_DETECTOR=hog, or install a dlib built with CUDA",
        )


def _device() -> Iterator[Finding]:
    from faceswap import backend
    from faceswap.model.device import device, idle_gpu
    from faceswap.process.cards import free_memory

    found = device()
    card = _graphics_card()
    if found.accelerated:
        yield Finding(
            "device",
            "good",
            f"trainings run on the {found}, preset {backend.preset_here()} if none is named"
            f"{f'; cards: {card}' if card else ''}",
        )
        free = free_memory()
        if free is not None and free < _LEAST_FREE_ON_CARD:
            yield Finding(
                "device",
                "warning",
                f"only {free / 1e9:.1f} GB are free on the card: a training of hd512 took 2.4",
                "end other programs on it (`nvidia-smi` lists them), or train with a smaller --preset",
            )
    elif card or backend.has_driver():
        yield Finding(
            "device",
            "warning",
            idle_gpu() or f"trainings run on the {found}, although there is {card or 'an NVIDIA driver'}",
            "`uv run --extra gpu faceswap …` brings JAX with CUDA (driver 580 or newer); or `pip install "
            "'tensorflow[and-cuda]'` with KERAS_BACKEND=tensorflow",
        )
    elif backend.has_cuda_for_jax():
        yield Finding(
            "device",
            "warning",
            f"trainings run on the {found}: JAX's CUDA is installed, but no NVIDIA driver is seen",
            "install the driver (580 or newer); in a container, start it with `--gpus all`",
        )
    else:
        yield Finding("device", "good", f"trainings run on the {found}; {os.cpu_count()} cores")


def _swaps() -> Iterator[Finding]:
    from faceswap.inference.segmentation import segmentation_network

    provider = segmentation_network().provider  # as all graphs
    if provider != "CPUExecutionProvider":
        yield Finding("swaps", "good", f"swaps run in ONNX Runtime on the GPU ({provider})")
    elif card := _graphics_card():
        yield Finding(
            "swaps",
            "warning",
            f"swaps run in ONNX Runtime on the CPU, although there is {card}",
            "install onnxruntime-gpu in place of onnxruntime, with the CUDA and cuDNN that it asks for",
        )
    else:
        yield Finding("swaps", "good", "swaps run in ONNX Runtime on the CPU")


def _graphics_card() -> str:
    """What the driver's own tool lists, whether or not the backend can use it."""
    if not shutil.which("nvidia-smi"):
        return ""
    command = [
        "nvidia-smi",
        "--query-gpu=name,memory.total,memory.free,driver_version",
        "--format=csv,noheader",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip().replace("\n", ", ") if done.returncode == 0 else ""


def _servers() -> Iterator[Finding]:
    silent = [one for one in services().values() if not one.healthy()]
    for one in services().values():
        if one not in silent:
            yield Finding(one.title, "good", f"answers at {one.url}")
    if silent:
        names = ", ".join(f"{one.title} ({one.url})" for one in silent)
        yield Finding(
            "servers",
            "warning",
            f"no answer from {names}",
            "`faceswap up` starts them; the commands also work without, on local files",
        )


def _registry() -> Iterator[Finding]:
    from faceswap import registry, tracking

    tracking.connect()
    yield Finding("tracking", "good", redacted(settings().tracking))
    closed = tracking.end_dead_runs()
    if closed:
        yield Finding("runs", "good", f"{len(closed)} of killed processes were closed as failed")
    rows = [row for row in registry.versions() if row.aliases]
    broken = []
    for row in rows:
        try:
            registry.load(row.version)
        except FaceswapError as error:
            broken.append(f"{row.version} ({', '.join(row.aliases)}): {error.message}")
    if broken:
        yield Finding("registry", "bad", "; ".join(broken), "promote another version, or train again")
    elif rows:
        yield Finding("registry", "good", f"{len(rows)} versions have an alias, and load")
    else:
        yield Finding("registry", "warning", "it holds no version yet", "`faceswap demo` trains two")
