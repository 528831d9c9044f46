"""Does a long search grow? Real trainings of a tiny network, each in its process, as a search runs them.

``python -m tests.benchmarks.bench_tune_memory [TRIALS]``: the memory of the search after each trial, the peak of each
trial, and what is left of processes and files.
"""

import sys
import tempfile
from pathlib import Path

import psutil

from faceswap.model.training.schedule import Budget
from faceswap.tuning.plan import TrialRecord
from faceswap.tuning.search_space import FloatRange
from faceswap.tuning.tuner import search
from tests.tuning import fakes

TINY = {"encoder_filters": (8, 16, 16), "code_filters": 8, "decoder_filters": (16, 8), "batch_size": 2}


def main(trials: int) -> None:
    """Print a line per trial and the growth from the second trial to the last."""
    plan = fakes.plan("tiny", trials=trials, budget=Budget(steps=2))
    rate = FloatRange(field="learning_rate", low=1e-4, high=1e-3, log=True)
    space = plan.space.extended((rate,))
    plan = plan.model_copy(update={"preset": plan.preset.with_(**TINY), "space": space})
    here, held = psutil.Process(), []

    def told(record: TrialRecord) -> None:
        held.append(here.memory_info().rss / 2**20)
        print(
            f"{record.trial_id} {record.status}: search {held[-1]:.0f} MiB, "
            f"trial {record.result.peak_memory_mb:.0f} MiB, {record.wall_seconds:.1f} s",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        plan.save(folder)
        search(folder, plan, told)
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    print(
        f"{len(held)} trials: the search grew by {held[-1] - held[1]:.1f} MiB from trial 2 to the last, "
        f"{len(here.children())} processes are left, {size / 2**10:.0f} KiB of files"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
