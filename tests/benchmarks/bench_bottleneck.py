"""How wide should the bottleneck be? Quality against width at the same training time, on two of the cast.

``python -m tests.benchmarks.bench_bottleneck [--minutes 4] [--seeds 3] [--widths 16 64 256 1024] [--out DIR]``:
a table (Markdown) and a plot in DIR. Each seed trains each width once; started again, it goes on where it was. The
time is wall time: nothing else should run on the machine.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.faceset import FaceSet
from faceswap.jobs.fictional.fictional_media import cast_consent, write_people
from faceswap.model.presets import preset
from faceswap.model.training.schedule import Budget
from faceswap.tuning.plan import SearchPlan, TrialRecord, read_records
from faceswap.tuning.search_space import Choice, SearchSpace
from faceswap.tuning.tuner import clean_up, search

SHOWN = {
    "identity_distance": "identity distance",
    "lip_gap_correlation": "lips follow",
    "sharpness": "sharpness",
    "reconstruction_ssim": "SSIM",
}


def face_sets(
    out: Path, names: list[str], seconds: float, options: ExtractionOptions | None = None, size: int = 256
) -> list[FaceSet]:
    """Face sets of rendered videos, frames of ``size`` x ``size`` px; found again where they exist."""
    videos = {name: out / "people" / f"{name}.mp4" for name in names}
    if not all(path.exists() for path in videos.values()):
        write_people(out / "people", names, "video", seconds=seconds, size=size)
    return [
        extract(
            [str(path)],
            name,
            consent=cast_consent(name),
            options=options,
            root=str(out / "face-sets"),
        )
        for name, path in videos.items()
    ]


def measure(out: Path, sets: list[FaceSet], options: argparse.Namespace) -> dict[int, list[TrialRecord]]:
    """Width -> its trial of each seed."""
    found: dict[int, list[TrialRecord]] = {width: [] for width in options.widths}
    widths = Choice(field="bottleneck", values=options.widths, unit="numbers")
    for seed in range(options.seeds):
        plan = SearchPlan(
            face_sets=tuple(faces.uri for faces in sets),
            digests={faces.identity: faces.digest for faces in sets},
            preset=preset(options.preset),
            space=SearchSpace(dimensions=(widths,), sweep=len(options.widths)),
            budget=Budget(minutes=options.minutes),
            trials=len(options.widths),
            seed=seed,
            frames=options.frames,
        )
        folder = out / "searches" / plan.search_id
        plan.save(folder)
        search(folder, plan, _say)
        clean_up(folder)
        for record in read_records(folder):
            found[record.changes["bottleneck"]].append(record)
    return found


def _say(record: TrialRecord) -> None:
    sys.stderr.write(f"{record.changes}: {record.status}, quality {record.quality:.3f} {record.message}\n")


def markdown(found: dict[int, list[TrialRecord]]) -> str:
    """Means over seeds, with the range of the quality."""
    lines = [
        f"| bottleneck | quality (range) | {' | '.join(SHOWN.values())} | images/s | weights |",
        f"|{'---|' * (4 + len(SHOWN))}",
    ]
    for width, records in found.items():
        done = [r for r in records if r.completed]
        if not done:
            lines.append(f"| {width} | {records[0].status if records else 'none'} |{' |' * (2 + len(SHOWN))}")
            continue
        quality = [r.quality for r in done]
        means = [np.mean([r.result.measures.get(key, np.nan) for r in done]) for key in SHOWN]
        speed = np.mean([r.result.images_per_second for r in done])
        lines.append(
            f"| {width} | {np.mean(quality):.3f} ({min(quality):.3f}-{max(quality):.3f}) | "
            f"{' | '.join(f'{value:.2f}' for value in means)} | {speed:.0f} | "
            f"{done[0].result.parameters / 1e6:.1f}M |"
        )
    return "\n".join(lines)


def draw(found: dict[int, list[TrialRecord]], path: Path, title: str) -> None:
    """Quality and speed against width; the band is the range over seeds."""
    done = {w: good for w, records in found.items() if (good := [r for r in records if r.completed])}
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    widths = list(done)
    quality = [[r.quality for r in records] for records in done.values()]
    axes.fill_between(
        widths, [min(q) for q in quality], [max(q) for q in quality], color="#00798c", alpha=0.2
    )
    axes.plot(widths, [np.mean(q) for q in quality], "o-", color="#00798c")
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set(xlabel="bottleneck (numbers)", title=title)
    axes.set_ylabel("quality (0..1)", color="#00798c")
    axes.grid(alpha=0.25)
    speed = axes.twinx()
    speed.plot(
        widths,
        [np.mean([r.result.images_per_second for r in records]) for records in done.values()],
        "s--",
        color="#d1495b",
    )
    speed.set_ylabel("images trained per second", color="#d1495b")
    speed.set_ylim(bottom=0)
    FigureCanvasAgg(figure).print_png(path)


def main() -> None:
    """Render, extract, train and measure; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4, help="training time of each width")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--people", nargs="+", default=["emeric", "bram"])
    parser.add_argument("--seconds", type=float, default=12, help="length of each person's video")
    parser.add_argument("--frames", type=int, default=24, help="held-out frames of each pair")
    parser.add_argument("--preset", default="lite")
    parser.add_argument("--out", type=Path, default=Path("bench-bottleneck"))
    options = parser.parse_args()
    sets = face_sets(options.out, options.people, options.seconds)
    found = measure(options.out, sets, options)
    table = markdown(found)
    (options.out / "bottleneck.md").write_text(table + "\n")
    title = f"{options.minutes:g} minutes of training, mean and range of {options.seeds} seed(s)"
    draw(found, options.out / "bottleneck.png", title)
    print(table)


if __name__ == "__main__":
    main()
