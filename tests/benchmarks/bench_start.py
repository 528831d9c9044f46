"""How long commands take from a cold start: seconds on the clock and of the CPU, and which imports they go to.

``python -m tests.benchmarks.bench_start --home .faceswap --reference emeric --target picture.png``; without a home
folder a demo in miniature fills one first. The clock tells of this machine and its load, the CPU's seconds and the
ratio to ``python -c "import typer, rich.console"`` compare with other days. Bytecode counts: ``uv sync
--compile-bytecode`` first, and again with ``PYTHONDONTWRITEBYTECODE=1`` on a fresh environment for the worst case.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

_FLOOR = ["-c", "import typer, rich.console"]
_COMMAND = ["-m", "faceswap.cli"]


def measure(words: list[str], home: Path) -> tuple[float, float, int]:
    """Seconds on the clock, seconds of the CPU (with those of child processes), and the exit code."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode not in {0, 1} or b"Traceback" in done.stderr:
        sys.exit(f"{words}: {done.stderr.decode()[-2000:]}")
    return took, cpu, done.returncode


def imports(words: list[str], home: Path, most: int = 12) -> list[tuple[str, float]]:
    """The packages whose modules take longest to import, each without what it imports, s."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    own: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and parts[0].strip().isdigit():
            own[parts[2].strip().partition(".")[0]] += int(parts[0])
    return [(name, micros / 1e6) for name, micros in own.most_common(most)]


def _environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    return kept | {"FACESWAP_HOME": str(home)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="state folder with a registered version")
    parser.add_argument("--reference", default="emeric")
    parser.add_argument("--target", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--skip-swap", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    home, target = given.home or folder / "home", given.target or folder / "ada" / "0001.png"
    if not given.skip_swap and given.home is None:
        demo = ["demo", "--out", str(folder / "demo"), "--minutes", "0.1", "--seconds", "4"]
        measure([*_COMMAND, *demo], home)
    if not given.skip_swap and given.target is None:
        measure(
            [*_COMMAND, "people", "--pictures", "--count", "1", "--name", "ada", "--out", str(folder)], home
        )
    swap = ["swap", str(target), "--reference", given.reference, "--out", str(folder / "swapped.png")]
    commands = {
        "floor (typer, rich)": _FLOOR,
        "--help": [*_COMMAND, "--help"],
        "swap, misspelt path": [*_COMMAND, "swap", "nowhere.png", "--reference", "x", "--out", "y.png"],
        "models": [*_COMMAND, "models"],
        "doctor": [*_COMMAND, "doctor"],
        **({} if given.skip_swap else {"swap of a picture": [*_COMMAND, *swap]}),
    }
    print(f"{'best of ' + str(given.repeat):<22}{'clock, s':>10}{'CPU, s':>10}{'of the floor':>14}")
    floor = 0.0
    for name, words in commands.items():
        runs = [measure(words, home) for _ in range(given.repeat)]
        took, cpu = min(run[0] for run in runs), min(run[1] for run in runs)
        floor = floor or cpu
        print(f"{name:<22}{took:>10.2f}{cpu:>10.2f}{cpu / floor:>14.1f}", flush=True)
    for name in ("--help", "models", "doctor"):
        print(f"\nimports of {name}, s:", ", ".join(f"{k} {v:.2f}" for k, v in imports(commands[name], home)))


if __name__ == "__main__":
    main()
